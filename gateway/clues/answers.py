"""
Answers 回复 on their way back: queued in the transaction that made them true, sent until the other side took them.

At least once, always under the same id and signed with the partner's own key, so the receiver drops repeats. A
system that fails is left alone for a growing while and never delays another; what was tried for five days is
listed as dead and can be sent again by hand.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import or_, select, update

from gateway.clues import rules
from gateway.clues.model import AnswerRow
from gateway.clues.outgoing import CallFailed, check_target, post
from gateway.links.link import Link
from gateway.partners import signature
from gateway.partners.model import Partner
from gateway.partners.service import Partners
from kernel.access.principal import Principal
from kernel.clock import SHANGHAI
from kernel.errors import Conflict, NotFound, TemporaryError
from kernel.ids import is_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.telemetry.log import logger

log = logger(__name__)

AT_ONCE = 20
LEASE = timedelta(minutes=5)  # longer than twenty calls of ten seconds
Publish = Callable[[bytes, Mapping[str, str]], None]
Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Due:
    id: str
    system: str
    body: str
    attempts: int
    url: str
    networks: str
    secret: bytes | None


def queue_answers(work: Work, links: Mapping[str, Link], steps: Iterable[tuple[Step, str, str]]) -> None:
    """Queue an answer for each (progress row, system, external id), in the transaction of `work`, in one statement."""
    now = work.clock.now()
    write_rows(
        work.session,
        AnswerRow.metadata.tables["answers"],
        [
            {
                "id": step["id"],
                "system": system,
                "receipt": step["receipt"],
                "body": _body(links[system], step, external_id),
                "state": "pending",
                "attempts": 0,
                "created_at": now,
                "next_at": now,
                "last_error": "",
            }
            for step, system, external_id in steps
        ],
        keys=("id",),
        on_conflict="nothing",
    )


def _body(link: Link, step: Step, external_id: str) -> str:
    values = {
        "receipt": step["receipt"],
        "external_id": external_id,
        "state": link.answer_states[step["state"]],
        "note": step["note"],
        "subject": step["subject"],
        "recorded_at": step["recorded_at"].astimezone(SHANGHAI).isoformat(timespec="seconds"),
    }
    return orjson.dumps(rules.renamed(values, link.answer_fields)).decode()


class Answers:
    """Sends what is queued; `doors` are the partners' virtual hosts on the bus."""

    def __init__(self, store: Store, partners: Partners, doors: Mapping[str, Publish]) -> None:
        self._store = store
        self._partners = partners
        self._doors = doors

    def send_due(self, system: str = "") -> int:
        """Try the answers whose time has come, to one system or all; returns how many were taken over."""
        delivered = 0
        resting: set[str] = set()
        for due in self._lease(system):
            if due.system in resting:
                self._give_back(due)
                continue
            try:
                self._send(due)
            except CallFailed as failure:
                log.warning("answer_not_taken", answer=due.id, system=due.system, error=failure.code)
                self._failed(due, failure)
                if failure.is_theirs:
                    resting.add(due.system)
            else:
                self._delivered(due)
                delivered += 1
        return delivered

    def send_again(self, who: Principal, answer: str) -> None:
        """Try a dead answer again from the beginning; raises NotFound, Conflict."""
        with self._store.work() as work:
            row = work.session.get(AnswerRow, answer, with_for_update=True) if is_id(answer) else None
            if row is None:
                raise NotFound("没有这条回复，请刷新列表。", code="clues.unknown_answer")
            if row.state != "dead":
                raise Conflict("这条回复不在停发状态，无须重发。", code="clues.answer_not_dead")
            row.state, row.attempts, row.next_at = "pending", 0, work.clock.now()
            row.settled_at = None
            work.audit(who, "answer.sent_again", f"answers/{answer}")
            work.commit()

    def _lease(self, system: str) -> list[_Due]:
        """The answers whose time has come; nobody else takes them up for five minutes."""
        now = self._store.clock.now()
        wanted = (
            select(AnswerRow, Partner.answer_url, Partner.answer_networks)
            .join(Partner, Partner.system == AnswerRow.system)
            .where(AnswerRow.state == "pending", AnswerRow.next_at <= now)
            .where(or_(Partner.rest_until.is_(None), Partner.rest_until <= now))
            # a partner without address or virtual host asks for its answers itself (GET clues/{receipt})
            .where(or_(Partner.answer_url != "", Partner.system.in_(list(self._doors))))
            .order_by(AnswerRow.next_at)
            .limit(AT_ONCE)
        )
        if system:
            wanted = wanted.where(AnswerRow.system == system)
        with (
            self._store.reading() as session
        ):  # asked every two seconds, so writers are not disturbed for nothing
            if session.execute(wanted.limit(1)).first() is None:
                return []
        with self._store.work() as work:
            rows = work.session.execute(wanted.with_for_update(skip_locked=True, of=AnswerRow)).all()
            secrets = {row[0].system: self._partners.secret_of(work.session, row[0].system) for row in rows}
            due = [
                _Due(row.id, row.system, row.body, row.attempts, url, networks, secrets[row.system])
                for row, url, networks in rows
            ]
            work.session.execute(
                update(AnswerRow).where(AnswerRow.id.in_([one.id for one in due])).values(next_at=now + LEASE)
            )
            work.commit()
        return due

    def _send(self, due: _Due) -> None:
        if due.secret is None:
            raise CallFailed("no_key", is_theirs=True)
        body = due.body.encode()
        headers = signature.sign(due.secret, due.id, self._store.clock.now(), body)
        if due.url:
            post(check_target(due.url, due.networks), body, headers)
            return
        try:
            self._doors[due.system](body, headers)
        except TemporaryError as error:
            raise CallFailed("bus_away", is_theirs=True) from error

    def _delivered(self, due: _Due) -> None:
        with self._store.work() as work:
            changes = {"state": "delivered", "settled_at": work.clock.now(), "attempts": due.attempts + 1}
            work.session.execute(
                update(AnswerRow).where(AnswerRow.id == due.id).values(**changes, last_error="")
            )
            work.session.execute(
                update(Partner)
                .where(Partner.system == due.system, Partner.failures > 0)
                .values(failures=0, rest_until=None)
            )
            work.commit()

    def _give_back(self, due: _Due) -> None:
        with self._store.work() as work:
            work.session.execute(
                update(AnswerRow)
                .where(AnswerRow.id == due.id)
                .values(next_at=work.clock.now() + timedelta(seconds=5))
            )
            work.commit()

    def _failed(self, due: _Due, failure: CallFailed) -> None:
        attempts = due.attempts + 1
        wait = rules.next_try(attempts, random.random())  # noqa: S311 - jitter is no secret
        with self._store.work() as work:
            now = work.clock.now()
            changes: dict[str, Any] = {"attempts": attempts, "last_error": failure.code[:200]}
            changes |= {"next_at": now + wait} if wait else {"state": "dead", "settled_at": now}
            work.session.execute(update(AnswerRow).where(AnswerRow.id == due.id).values(**changes))
            if failure.is_theirs:
                partner = work.session.get_one(Partner, due.system, with_for_update=True)
                partner.failures += 1
                partner.rest_until = now + rules.rest(partner.failures)
            work.commit()
