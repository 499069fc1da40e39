"""
Records of a report 填报记录: how its versions and events are written, and its head kept up with them.

Whoever changes a report locks its head first (`locked`), so that versions and events of one report are numbered
without gaps and no two people move it at once; services.assessment.review moves reports through here as well.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.orm import Session

from kernel.ids import derived_id, is_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.model import REPORT_EVENTS, REPORT_VERSIONS, REPORTS
from services.assessment.reporting.past import reports_at
from services.assessment.reporting.rules import DRAFT, Act, Content, Value, after, evidence_of
from services.assessment.scoring.tallies import Assessed

Head = Mapping[str, Any]
MOST_HISTORY = 500
_ACTS_OF_THE_UNIT: frozenset[Act] = frozenset({"opened", "submitted", "withdrawn"})


def report_id(framework: str, result: str, unit: str, period: str) -> str:
    """The id of a unit's report about a result in a period: the same for everybody who asks."""
    return derived_id("assessment-report", framework, result, unit, period)


def head_row(
    framework: Framework, node: Node, unit: Assessed, period: str, due_on: date, work: Work
) -> dict[str, Any]:
    """The head of a report that begins."""
    return {
        "id": report_id(framework.id, node.code, unit.code, period),
        "framework": framework.id,
        "result": node.code,
        "unit": unit.code,
        "period": period,
        "peer_group": unit.group.id,
        "state": DRAFT,
        "version": 0,
        "submitted_version": 0,
        "round": 0,
        "score_milli": None,
        "due_on": due_on,
        "submitted_at": None,
        "changed_at": work.clock.now(),
    }


def head_of(session: Session, report: str, at: datetime | None = None) -> Head | None:
    """The head of a report, if there is one; as it stood at a moment, if it was begun."""
    if not is_id(report):
        return None
    heads = reports_at(at)
    row = session.execute(select(heads).where(heads.c.id == report)).mappings().one_or_none()
    return dict(row) if row is not None else None


def locked(work: Work, report: str) -> Head | None:
    """The head of a report, held until this transaction ends."""
    if not is_id(report):
        return None
    wanted = select(REPORTS).where(REPORTS.c.id == report).with_for_update()
    row = work.session.execute(wanted).mappings().one_or_none()
    return dict(row) if row is not None else None


def begin(work: Work, heads: Sequence[Head], account: str) -> list[str]:
    """Open the reports of these heads that are not open yet; returns their ids."""
    opened = write_rows(work.session, REPORTS, heads, keys=("id",), on_conflict="nothing", returning=("id",))
    fresh = {str(row.id) for row in opened}
    facts = [_opened_row(head, account) for head in heads if head["id"] in fresh]
    write_rows(work.session, REPORT_EVENTS, facts)
    return sorted(fresh)


def content_of(session: Session, report: str, version: int) -> Content:
    """What a version says; nothing yet for version 0."""
    row = session.execute(
        select(REPORT_VERSIONS).where(
            REPORT_VERSIONS.c.report == report, REPORT_VERSIONS.c.version == version
        )
    ).one_or_none()
    if row is None:
        return Content("")
    value = None if row.denominator is None else Value(row.numerator, row.denominator)
    return Content(row.statement, value, evidence_of(orjson.loads(row.evidence)))


def versions_of(session: Session, head: Head, *, submitted_only: bool) -> Sequence[RowMapping]:
    """The versions a head knows of, the newest first, or only the one it had submitted."""
    wanted = (
        select(
            REPORT_VERSIONS.c.version,
            REPORT_VERSIONS.c.digest,
            REPORT_VERSIONS.c.written_by,
            REPORT_VERSIONS.c.written_at,
        )
        .where(REPORT_VERSIONS.c.report == head["id"], REPORT_VERSIONS.c.version <= head["version"])
        .order_by(REPORT_VERSIONS.c.version.desc())
        .limit(MOST_HISTORY)
    )
    if submitted_only:
        wanted = wanted.where(REPORT_VERSIONS.c.version == head["submitted_version"])
    return session.execute(wanted).mappings().all()


def events_of(
    session: Session, report: str, *, is_own: bool, at: datetime | None = None
) -> list[dict[str, Any]]:
    """
    What became of a report (until a moment), oldest first.

    Its unit is not told who reviewed it (双盲), and nobody else when it began what was a draft.
    """
    wanted = select(REPORT_EVENTS).where(REPORT_EVENTS.c.report == report).order_by(REPORT_EVENTS.c.number)
    if at is not None:
        wanted = wanted.where(REPORT_EVENTS.c.at <= at)
    if not is_own:
        wanted = wanted.where(REPORT_EVENTS.c.act != "opened")
    found = [dict(row) for row in session.execute(wanted).mappings()]
    for event in found:
        if is_own and event["act"] not in _ACTS_OF_THE_UNIT:
            event["actor"] = ""
    return found


def version_row(report: str, version: int, content: Content, account: str, at: Any) -> dict[str, Any]:
    """A version as it is stored."""
    evidence = orjson.dumps([asdict(item) for item in content.evidence]).decode()
    return {
        "report": report,
        "version": version,
        "numerator": content.value.numerator if content.value else None,
        "denominator": content.value.denominator if content.value else None,
        "statement": content.statement,
        "evidence": evidence,
        "digest": digest_of(content),
        "written_by": account,
        "written_at": at,
    }


def digest_of(content: Content) -> str:
    """The digest of what a version says."""
    return hashlib.sha256(orjson.dumps(asdict(content), option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_version(work: Work, head: Head, content: Content, account: str) -> int:
    """Add a version to a locked report; the same content again adds nothing. Returns the newest version."""
    at = work.clock.now()
    row = version_row(head["id"], head["version"] + 1, content, account, at)
    newest = select(REPORT_VERSIONS.c.digest).where(
        REPORT_VERSIONS.c.report == head["id"], REPORT_VERSIONS.c.version == head["version"]
    )
    if work.session.execute(newest).scalar_one_or_none() == row["digest"]:
        return int(head["version"])
    work.session.execute(insert(REPORT_VERSIONS).values(**row))
    work.session.execute(
        update(REPORTS).where(REPORTS.c.id == head["id"]).values(version=row["version"], changed_at=at)
    )
    return int(row["version"])


def _opened_row(head: Head, account: str) -> dict[str, Any]:
    return {
        "report": head["id"],
        "number": 1,
        "act": "opened",
        "round": 0,
        "version": 0,
        "actor": account,
        "at": head["changed_at"],
        "reasons": "",
        "score_milli": None,
        "fact": "",
    }


def advance(
    work: Work,
    head: Head,
    act: Act,
    account: str,
    *,
    reasons: str = "",
    score_milli: int | None = None,
    fact: str = "",
) -> dict[str, Any]:
    """Add an event to a locked report and move its head on; returns the new head. Raises WrongState."""
    state = after(head["state"], act)
    at = work.clock.now()
    changes: dict[str, Any] = {"state": state, "changed_at": at}
    if act == "submitted":
        changes |= {"round": head["round"] + 1, "submitted_version": head["version"], "submitted_at": at}
    if score_milli is not None:
        changes["score_milli"] = score_milli
    moved = {**head, **changes}
    number = work.session.execute(
        select(func.count()).select_from(REPORT_EVENTS).where(REPORT_EVENTS.c.report == head["id"])
    ).scalar_one()
    work.session.execute(
        insert(REPORT_EVENTS).values(
            report=head["id"],
            number=number + 1,
            act=act,
            round=moved["round"],
            version=moved["submitted_version"],
            actor=account,
            at=at,
            reasons=reasons,
            score_milli=score_milli,
            fact=fact,
        )
    )
    work.session.execute(update(REPORTS).where(REPORTS.c.id == head["id"]).values(**changes))
    return moved
