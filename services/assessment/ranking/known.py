"""
As of 截至: what was known on a day, or when the log had so many events.

Every fact has two times: when it happened decides its period, when it was received decides whether it was known.
Numbers of the log rise with the time of receipt and have no gaps, so "known by the end of a day" is one number, and
an answer made from it is the same whenever it is asked. Later corrections are not seen, and a framework counts
from the moment it was put in force. Units have the names and places of that moment (lineage.py).
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from kernel.clock import Clock, end_of_day, local_date, start_of_day
from kernel.errors import Invalid, NotFound
from services.assessment.framework.model import DECISIONS, FRAMEWORKS, IN_FORCE, PROPOSALS
from services.assessment.framework.service import DEFAULT, Frameworks
from services.assessment.framework.values import Framework
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD


class AsOf(NamedTuple):
    """What a caller asks: the end of a day in Asia/Shanghai, or a number of events; neither is now."""

    day: date | None = None
    seq: int | None = None


class Known(NamedTuple):
    """The first `seq` events, the last of which was received at `received_at`, and frameworks as of `at`."""

    seq: int
    at: datetime
    received_at: datetime | None


NOW = AsOf()


def known_as_of(session: Session, clock: Clock, asked: AsOf) -> Known | None:
    """What is meant by a question; None for now. Raises Invalid for days and numbers still to come."""
    if asked == NOW:
        return None
    head = head_of(session)
    if asked.seq is not None:
        if not 0 <= asked.seq <= head:
            raise Invalid(f"事件日志共有 {head} 个事件，请填写 0 至 {head}。", code="assessment.as_of_seq")
        received_at = received(session, asked.seq)
        return Known(asked.seq, received_at or clock.now(), received_at)
    assert asked.day is not None
    if asked.day > local_date(clock.now()):
        raise Invalid("截至日期不能晚于今天，请重新选择。", code="assessment.as_of_day")
    end = start_of_day(asked.day + timedelta(days=1))
    seq = _last_before(lambda number: received(session, number), head, end)
    return Known(seq, end - timedelta(microseconds=1), received(session, seq))


def end_of(clock: Clock, day: date | None) -> datetime | None:
    """The last moment of a day in Asia/Shanghai that has been; None for None. Raises Invalid for days to come."""
    if day is None:
        return None
    if day > local_date(clock.now()):
        raise Invalid("截至日期不能晚于今天，请重新选择。", code="assessment.as_of_day")
    return min(clock.now(), end_of_day(day))


def until(written_at: ColumnElement[datetime], at: datetime | None) -> ColumnElement[bool]:
    """Whether something was there at a moment (None: now)."""
    return true() if at is None else written_at <= at


def head_of(session: Session) -> int:
    """How many events the log has."""
    size: int = session.execute(select(LOG_HEAD.c.size)).scalar_one()
    return size


def received(session: Session, seq: int) -> datetime | None:
    """When an event was received; None for the empty log."""
    at: datetime | None = session.execute(
        select(EVENT_LOG.c.received_at).where(EVENT_LOG.c.seq == seq)
    ).scalar_one_or_none()
    return at


def framework_known(session: Session, frameworks: Frameworks, known: Known | None, year: int) -> Framework:
    """The framework in force for a year, as it was known then. Raises NotFound where none was published yet."""
    if known is None:
        return frameworks.in_force(year)
    return framework_at(session, frameworks, known.at, year)


def framework_at(session: Session, frameworks: Frameworks, at: datetime, year: int) -> Framework:
    """The framework in force for a year, as it was known at a moment. Raises NotFound where none was published yet."""
    in_force = (
        select(PROPOSALS.c.framework.label("id"), PROPOSALS.c.version)
        .join(DECISIONS, DECISIONS.c.proposal == PROPOSALS.c.id)
        .where(
            PROPOSALS.c.act == IN_FORCE,
            DECISIONS.c.approved,
            DECISIONS.c.decided_at <= at,
            PROPOSALS.c.year <= year,
        )
        .order_by(PROPOSALS.c.year.desc(), DECISIONS.c.decided_at.desc(), PROPOSALS.c.id.desc())
    )
    published = (
        select(FRAMEWORKS.c.id, FRAMEWORKS.c.version)
        .where(FRAMEWORKS.c.id == DEFAULT, FRAMEWORKS.c.published_at <= at)
        .order_by(FRAMEWORKS.c.published_at.desc(), FRAMEWORKS.c.version.desc())
    )
    row = session.execute(in_force).first() or session.execute(published).first()
    if row is None:
        raise NotFound("当时尚未发布指标体系，请选择更晚的日期。", code="assessment.no_framework")
    return frameworks.get(row.id, row.version)


def _last_before(received_at: Callable[[int], datetime | None], head: int, end: datetime) -> int:
    """
    The last event received before a moment, found in as many looks as the head has bits.

    The looks at numbers below the answer depend on the answer alone, so a growing log never changes it.
    """
    last = 0
    for bit in reversed(range(head.bit_length())):
        step = last + (1 << bit)
        at = received_at(step) if step <= head else None
        if at is not None and at < end:
            last = step
    return last
