"""
Closing of periods 考核期关闭与重开: asked for by one, confirmed by another, and what came late since.

The number of events at the moment of closing is kept, so "late" is a fact of the log and no opinion of a clock. As of
a day 截至 the acts and events until its end count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import RuleViolation
from kernel.ids import new_id
from kernel.storage.work import Store, Work
from services.assessment.ledger.service import Ledger
from services.assessment.publication.model import PERIOD_ACTS
from services.assessment.publication.rules import (
    CONFIRMS,
    Act,
    PeriodAct,
    PeriodState,
    ask,
    check_period,
    confirm,
    standing,
)
from services.assessment.ranking.known import AsOf, Known, known_as_of
from services.assessment.reach import require_all_units, within
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD


@dataclass(frozen=True, slots=True)
class Period:
    """A period and where it stands; `late` counts events about it that came after it was closed."""

    period: str
    state: PeriodState
    changed_at: datetime | None
    late: int


@dataclass(frozen=True, slots=True)
class LateFact:
    """An event about a closed period that came after it was closed."""

    seq: int
    event_id: str
    unit: str
    probe: str
    occurred_at: datetime
    received_at: datetime


class Closings:
    """Closes and reopens periods."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def periods(self, day: date | None = None) -> list[Period]:
        """Every period something was done about, newest first; until the end of a day, or all. Raises Invalid."""
        with self._store.reading() as session:
            known = known_as_of(session, self._store.clock, AsOf(day))
            latest = func.max(PERIOD_ACTS.c.at)
            query = select(PERIOD_ACTS.c.period, latest).group_by(PERIOD_ACTS.c.period)
            if known is not None:
                query = query.where(PERIOD_ACTS.c.at <= known.at)
            rows = session.execute(query.order_by(PERIOD_ACTS.c.period.desc())).all()
            return [_period(session, row[0], row[1], known) for row in rows]

    def ask(self, who: Principal, period: str, act: Act, reason: str) -> str:
        """
        Ask to close ("close_asked") or reopen ("reopen_asked") a period; returns the request's id.

        Raises Invalid, Conflict, NotForAllUnits, NotWitnessed.
        """
        check_period(period)
        with self._store.work() as work:
            require_all_units(work.session, who)
            if act == "close_asked":
                self._ledger.require_fresh(work.session)
            size = _hold(work)
            ask(_state(work.session, period), act)
            request = _act(work, who, period, act, reason, size)
            work.commit()
        return request

    def confirm(self, who: Principal, period: str, *, agreed: bool, reason: str = "") -> PeriodState:
        """Confirm or refuse what another asked for. Raises Conflict, RuleViolation, NotForAllUnits, NotWitnessed."""
        check_period(period)
        with self._store.work() as work:
            require_all_units(work.session, who)
            size = _hold(work)
            request = confirm(_state(work.session, period), who.account)
            act = CONFIRMS[request.act] if agreed else "refused"
            if act == "closed":
                self._ledger.require_fresh(work.session)
            _act(work, who, period, act, reason, size, answers=request.id)
            state = _state(work.session, period)
            work.commit()
        return state

    def late_facts(
        self, who: Principal, period: str, *, offset: int, limit: int, day: date | None = None
    ) -> Sequence[LateFact]:
        """
        Events about a closed period that came after it was closed, of units the caller reaches, newest first; those
        that had come by the end of a day, or all. Raises Invalid.
        """
        check_period(period)
        with self._store.reading() as session:
            known = known_as_of(session, self._store.clock, AsOf(day))
            closed = _state(session, period, known).closed_at_seq
            if closed is None:
                return []
            columns = (EVENT_LOG.c[name] for name in LateFact.__annotations__)
            theirs = within(who, EVENT_LOG.c.unit)
            query = (
                select(*columns).where(_late(period, closed, known), theirs).order_by(EVENT_LOG.c.seq.desc())
            )
            return [
                LateFact(row.seq, str(row.event_id), *row[2:])
                for row in session.execute(query.offset(offset).limit(limit))
            ]


def require_open(session: Session, period: str) -> None:
    """Raise RuleViolation where a month or its year is closed: what concerns it must wait for a reopening."""
    for part in {period, period[:4]}:
        if _state(session, part).closed_at_seq is not None:
            raise RuleViolation(
                f"考核期 {part} 已经关闭，不能再填报或评分；确需更正的，请联系考核部门申请重开。",
                code="assessment.period_closed",
            )


def closed_at(session: Session, period: str) -> int | None:
    """How many events were known when a period was closed; None while it is open."""
    return _state(session, period).closed_at_seq


def _period(session: Session, period: str, changed_at: datetime, known: Known | None) -> Period:
    state = _state(session, period, known)
    late = 0
    if state.closed_at_seq is not None:
        since = _late(period, state.closed_at_seq, known)
        late = session.execute(select(func.count()).select_from(EVENT_LOG).where(since)).scalar_one()
    return Period(period, state, changed_at, late)


def _late(period: str, closed_at_seq: int, known: Known | None) -> ColumnElement[bool]:
    late = (EVENT_LOG.c.seq > closed_at_seq) & EVENT_LOG.c.period.startswith(period)
    return late if known is None else late & (EVENT_LOG.c.seq <= known.seq)


def _state(session: Session, period: str, known: Known | None = None) -> PeriodState:
    query = (
        select(PERIOD_ACTS.c.id, PERIOD_ACTS.c.act, PERIOD_ACTS.c.account, PERIOD_ACTS.c.at_seq)
        .where(PERIOD_ACTS.c.period == period)
        .order_by(PERIOD_ACTS.c.at, PERIOD_ACTS.c.id)
    )
    if known is not None:
        query = query.where(PERIOD_ACTS.c.at <= known.at)
    return standing([PeriodAct(str(row.id), *row[1:]) for row in session.execute(query)])


def _hold(work: Work) -> int:
    """How many events are known; the head's lock makes acts wait for one another, before they look what may follow."""
    size: int = work.session.execute(select(LOG_HEAD.c.size).with_for_update()).scalar_one()
    return size


def _act(
    work: Work, who: Principal, period: str, act: Act, reason: str, size: int, *, answers: str | None = None
) -> str:
    """Append an act, done when so many events were known."""
    act_id = new_id()
    work.session.execute(
        insert(PERIOD_ACTS).values(
            id=act_id,
            period=period,
            act=act,
            answers=answers,
            account=who.account,
            reason=reason,
            at=work.clock.now(),
            at_seq=size,
        )
    )
    work.audit(who, f"period.{act}", f"periods/{period}", object_version=str(size))
    return act_id
