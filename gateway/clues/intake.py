"""
Taking clues in 线索接收: mapped, de-duplicated, stored with the original, routed; one transaction, one receipt.

The same record sent again, in parallel or years later, gets the same receipt; with other content it is a
conflict. Whatever is refused after its sender was verified goes to quarantine with its raw bytes and the reason,
and an operator decides (quarantine.py). Who sent it was verified before (gateway/partners).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from contracts.clues.v1.clues_pb2 import Clue, ClueRouted
from contracts.topology import CLUE_TO_DISPUTES, CLUE_TO_ENFORCEMENT
from gateway.clues import rules
from gateway.clues.answers import queue_answers
from gateway.clues.model import ClueMessage, ClueOriginal, ClueRow, ProgressRow
from gateway.clues.native import read_native
from gateway.links.link import Link
from gateway.links.mapping import BadClue, MappedClue, read_clue
from gateway.partners.service import Sender
from gateway.partners.vault import Vault
from gateway.tables import UNITS
from kernel.calendar import WorkingCalendar
from kernel.clock import microseconds
from kernel.errors import Conflict, NotAllowed, PermanentError, Problem, TooLarge
from kernel.hosting.edge import check_json
from kernel.ids import new_id
from kernel.messages import Message
from kernel.storage import quarantine
from kernel.storage.reach import of, within
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work

CONSUMER = "gateway.clues"
GRPC = "grpc"  # the channel whose clues come in the platform's own form
NAME = "clue.v1"
WIRE_NAMES = {"enforcement": CLUE_TO_ENFORCEMENT, "disputes": CLUE_TO_DISPUTES}
NOT_OURS = "未能归入受理范围，请核对类别后重新发送或按原渠道办理。"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender gets: the number under which the clue is followed; the same for a repeat."""

    receipt: str
    state: str
    received_at: datetime
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The unit a clue concerns and the path that decides who sees it."""

    unit: str
    path: str


class ClueChanged(Conflict):
    """The same record with other content."""

    code = "clues.content_changed"
    message = "同一编号的线索已经收到，但内容不同；如需更正，请用新的编号发送。"


class MessageIdReused(Conflict):
    """The same message id for another record."""

    code = "clues.message_id_reused"
    message = "同一 webhook-id 已用于另一条线索，请为每条消息使用新的编号。"


class Intake:
    """Takes clues in."""

    def __init__(
        self, store: Store, vault: Vault, links: Mapping[str, Link], calendar: WorkingCalendar
    ) -> None:
        self._store = store
        self._vault = vault
        self._links = links
        self._calendar = calendar

    def take(self, sender: Sender, raw: bytes) -> Receipt:
        """
        Take in the body of a verified message. Raises BadClue, TooLarge, ClueChanged, MessageIdReused, each
        after putting the bytes into quarantine; TemporaryError when the database is away.
        """
        try:
            return self._take(sender, self._read(sender, raw), raw)
        except PermanentError as error:
            self.hold(sender, raw, error)
            raise

    def take_held(self, sender: Sender, raw: bytes, settle: Callable[[Work], None]) -> Receipt:
        """As `take`, out of quarantine: `settle` says so in the same transaction, or refuses and nothing is taken."""
        clue = self._read_native(sender, raw) if sender.channel == GRPC else self._read(sender, raw)

        def take_out(work: Work) -> Receipt:
            settle(work)
            return self._keep(work, sender, clue, raw)

        with within(of(sender.principal)):
            return self._store.transact(take_out)

    def take_many(self, letters: Iterable[tuple[Sender, bytes]]) -> list[Receipt]:
        """
        Take in a backlog that is handed over at once: one transaction, all or none; receipts in the same order.

        Nothing goes to quarantine, because whoever hands a backlog over is there to be told. Raises as `take` does.
        """
        with self._store.work() as work:
            receipts = [self._keep(work, sender, self._read(sender, raw), raw) for sender, raw in letters]
            work.commit()
        return receipts

    def take_mapped(self, sender: Sender, clue: MappedClue, raw: bytes) -> Receipt:
        """Take in a clue that came in the platform's own form, over gRPC."""
        self._link(sender.system)
        return self._take(sender, clue, raw)

    def hold(self, sender: Sender, raw: bytes, error: PermanentError) -> None:
        """Put refused bytes into quarantine, with who sent them and why they were refused."""
        where = "；".join(f"{problem.path}：{problem.message}" for problem in error.problems[:20])
        message = Message(
            id=f"{sender.system}/{sender.message_id}"[:100],
            source=sender.system,
            name=NAME,
            body=raw,
            headers={"webhook-id": sender.message_id, "channel": sender.channel, "address": sender.address},
            content_type="application/json",
        )
        with (
            suppress(IntegrityError),
            self._store.work() as work,
        ):  # the same bytes at the same moment: held once
            quarantine.hold(work, CONSUMER, message, raw, error.stable_code, f"{error.text}{where}")
            work.audit(
                sender.principal,
                "clue.refused",
                sender.message_id,
                result="refused",
                reason_code=error.stable_code,
            )
            work.commit()

    def person_hash(self, value: str) -> str:
        """The keyed hash under which a person is known."""
        return self._vault.person_hash(value)

    def _read(self, sender: Sender, raw: bytes) -> MappedClue:
        link = self._link(sender.system)
        if len(raw) > link.body_bytes:
            raise TooLarge(f"正文超过与本系统约定的 {link.body_bytes // 1024} KB。", code="clues.too_large")
        return read_clue(link, check_json(raw), now=self._store.clock.now(), hashed=self._vault.person_hash)

    def _read_native(self, sender: Sender, raw: bytes) -> MappedClue:
        self._link(sender.system)
        now = self._store.clock.now()
        return read_native(Clue.FromString(raw), sender.system, now=now, hashed=self._vault.person_hash)

    def _take(self, sender: Sender, clue: MappedClue, raw: bytes) -> Receipt:
        with within(of(sender.principal)):  # what a system sends is its own, whoever hands it over
            return self._store.transact(lambda work: self._keep(work, sender, clue, raw))

    def _link(self, system: str) -> Link:
        link = self._links.get(system)
        if link is None:
            raise NotAllowed(
                "没有与该系统的对接约定，请先在 catalog/links 中登记。", code="clues.unknown_system"
            )
        return link

    def _keep(self, work: Work, sender: Sender, clue: MappedClue, raw: bytes) -> Receipt:
        known = self._known(work, sender.system, clue, raw)
        if known is None:
            known = self._enter(work, sender, clue, raw)
        entered = write_rows(
            work.session,
            ClueMessage.metadata.tables["clue_messages"],
            [
                {
                    "system": sender.system,
                    "message_id": sender.message_id,
                    "receipt": known.receipt,
                    "received_at": work.clock.now(),
                }
            ],
            on_conflict="nothing",
            returning=("receipt",),
        )
        if not entered:
            former = work.session.get(ClueMessage, (sender.system, sender.message_id))
            if former is not None and former.receipt != known.receipt:
                raise MessageIdReused()
        return known

    def _known(self, work: Work, system: str, clue: MappedClue, raw: bytes) -> Receipt | None:
        row = work.session.execute(
            select(ClueRow.receipt, ClueRow.digest, ClueRow.state, ClueRow.received_at).where(
                ClueRow.system == system, ClueRow.external_id == clue.external_id
            )
        ).first()
        if row is None:
            return None
        if row.digest != clue.digest() and not _came_before(work, row.receipt, raw):
            raise ClueChanged()
        return Receipt(row.receipt, row.state, row.received_at, is_repeat=True)

    def _enter(self, work: Work, sender: Sender, clue: MappedClue, raw: bytes) -> Receipt:
        link = self._links[sender.system]
        place = _place(work, clue)
        now = work.clock.now()
        receipt = new_id()
        service = link.routing.get(clue.kind, "")
        state = "routed" if service else "returned"
        row = {
            "receipt": receipt,
            "system": sender.system,
            "external_id": clue.external_id,
            "external_version": clue.external_version,
            "kind": clue.kind,
            "state": state,
            "unit": place.unit,
            "unit_path": place.path,
            "region_code": clue.region_code,
            "title": clue.title,
            "content": clue.content,
            "person_hash": clue.person_hash,
            "attributes": orjson.dumps(clue.attributes).decode(),
            "digest": clue.digest(),
            "channel": sender.channel,
            "routed_to": service,
            "occurred_at": clue.occurred_at,
            "received_at": now,
            "due_at": clue.due_at,
            "answer_due_at": clue.due_at or self._answer_due(link, now),
            "progressed_at": now,
            "answered_at": None if service else now,
        }
        entered = write_rows(
            work.session,
            ClueRow.metadata.tables["clues"],
            [row],
            keys=("system", "external_id"),
            on_conflict="nothing",
            returning=("receipt",),
        )
        if not entered:  # somebody was faster by a moment
            return cast(Receipt, self._known(work, sender.system, clue, raw))
        sealed = self._vault.seal(f"clue/{receipt}", raw)
        original = {"receipt": receipt, "sealed": sealed, "raw_digest": hashlib.sha256(raw).hexdigest()}
        work.session.execute(insert(ClueOriginal).values(original))
        self._route(work, row, place, clue)
        work.audit(sender.principal, "clue.received", f"clues/{receipt}", after_digest=clue.digest())
        return Receipt(receipt, state, now, is_repeat=False)

    def _route(self, work: Work, row: Mapping[str, Any], place: Place, clue: MappedClue) -> None:
        receipt, system, service = row["receipt"], row["system"], row["routed_to"]
        now = row["received_at"]
        states = [("received", "")] + ([("routed", "")] if service else [("returned", NOT_OURS)])
        steps = [
            {
                "id": new_id(),
                "receipt": receipt,
                "state": state,
                "note": note,
                "subject": "",
                "recorded_at": now + timedelta(microseconds=order),
            }
            for order, (state, note) in enumerate(states)
        ]
        write_rows(work.session, ProgressRow.metadata.tables["clue_progress"], steps)
        if service:
            routed = ClueRouted(
                receipt=receipt, clue=_told(clue, place, system), received_at_us=microseconds(now)
            )
            work.tell(
                WIRE_NAMES[service], routed.SerializeToString(deterministic=True), aggregate=f"clue/{receipt}"
            )
        else:
            queue_answers(work, self._links, [(steps[-1], system, clue.external_id)])

    def _answer_due(self, link: Link, now: datetime) -> datetime:
        return rules.answer_due(
            now, link.answer_days, in_working_days=link.answer_in_working_days, calendar=self._calendar
        )


def _came_before(work: Work, receipt: str, raw: bytes) -> bool:
    """Whether these are the very bytes of a clue: read otherwise today, because the agreement with the sender changed."""
    wanted = select(ClueOriginal.raw_digest).where(ClueOriginal.receipt == receipt)
    return work.session.scalar(wanted) == hashlib.sha256(raw).hexdigest()


def _told(clue: MappedClue, place: Place, system: str) -> Clue:
    return Clue(
        system=system,
        external_id=clue.external_id,
        external_version=clue.external_version,
        kind=rules.KIND_NUMBERS[clue.kind],  # type: ignore[arg-type]
        unit=place.unit,
        region_code=clue.region_code,
        title=clue.title,
        content=clue.content,
        person_hash=clue.person_hash,
        occurred_at_us=microseconds(clue.occurred_at),
        due_at_us=microseconds(clue.due_at) if clue.due_at else 0,
        attributes=clue.attributes,
    )


def _place(work: Work, clue: MappedClue) -> Place:
    """The unit complained of; without one, the government of the region. Raises BadClue for unknown ones."""
    units = UNITS.table
    if clue.unit:
        named = (units.c.code == clue.unit) | (units.c.credit_code == clue.unit) | (units.c.name == clue.unit)
        wanted = (
            select(units.c.code, units.c.path, units.c.valid_to).where(named).order_by(units.c.code).limit(20)
        )
        everybody = work.session.execute(wanted).fetchall()
        found = [unit for unit in everybody if not unit.valid_to] or everybody
        if len(found) != 1:
            message = "单位目录中没有这个单位" if not found else "有多个同名单位，请改用单位代码"
            raise BadClue(
                code="clues.unknown_unit", problems=[Problem("unit", "clues.unknown_unit", message)]
            )
        return Place(found[0].code, found[0].path)
    for digits in (12, 9, 6):
        near = (units.c.region_code == clue.region_code[:digits]) & units.c.kind.in_((1, 3, 5))
        row = work.session.execute(
            select(units.c.path).where(near).order_by(units.c.level, units.c.path).limit(1)
        ).first()
        if row is not None:
            return Place("", row.path)
    problem = Problem("region_code", "clues.unknown_region", "行政区划代码不在本平台范围内")
    raise BadClue(code="clues.unknown_region", problems=[problem])
