"""Reading objections: lists, one objection with its datum and facts, what the caller may do, and what is in dispute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from contracts.roles import INSPECTOR, REPORTER, REVIEWER, UNIT_HEAD
from kernel.access.principal import SYSTEM, Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.work import Store
from services.assessment.framework.service import Frameworks
from services.assessment.objections.contested import contested, contested_on
from services.assessment.objections.datum import Datum, datum_of, makers_of
from services.assessment.objections.model import OBJECTION_EVENTS, OBJECTIONS
from services.assessment.objections.rules import ACTS, replay
from services.assessment.objections.upheld import replaced_by
from services.assessment.ranking.known import NOW, AsOf, end_of
from services.assessment.ranking.service import Rankings
from services.assessment.reach import within
from services.assessment.rectification.past import due_first, stood
from services.assessment.rectification.places import is_own_matter, names_of
from services.assessment.rectification.rules import MatterFact
from services.assessment.rectification.timeline import facts_of, units_of
from services.assessment.scoring.model import UNIT_SCORES
from services.assessment.scoring.roll_up import key_of, latest_year

MOST_ROWS = 200
HANDLERS = (INSPECTOR, REVIEWER)
WHO_MAY = {
    "evidence": (UNIT_HEAD, REPORTER),
    "withdrawn": (UNIT_HEAD,),
    "accepted": HANDLERS,
    "refused": HANDLERS,
    "drafted": HANDLERS,
    "sent_back": HANDLERS,
    "answered": HANDLERS,
}
BY_UNIT = frozenset({"evidence", "withdrawn"})
BY_SECOND = frozenset({"sent_back", "answered"})


@dataclass(frozen=True, slots=True)
class OneObjection:
    """An objection with everything known of it, and what the caller may do; `replaced`: by which event its correction."""

    row: Mapping[str, Any]
    names: Mapping[str, str]
    facts: Sequence[MatterFact]
    datum: Datum | None
    replaced: Datum | None
    title: str
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contested:
    """Micro-points in dispute by unit, of one peer group and year."""

    period: str
    framework: str
    points: Mapping[str, int]


class ObjectionReading:
    """Questions about objections."""

    def __init__(self, store: Store, frameworks: Frameworks, rankings: Rankings) -> None:
        self._store = store
        self._frameworks = frameworks
        self._rankings = rankings

    def page(
        self,
        who: Principal,
        *,
        state: str = "",
        unit: str = "",
        offset: int = 0,
        limit: int = 50,
        at: datetime | None = None,
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        """
        Objections in the caller's area, what is due first before what is ended: total, page, names of units.

        `at`: as they stood at that moment (as of 截至).
        """
        if at is not None:
            return self._page_then(who, at, state, unit, offset, limit)
        conditions = [within(who, OBJECTIONS.c.unit)]
        if state:
            conditions.append(OBJECTIONS.c.state == state)
        if unit:
            conditions.append(OBJECTIONS.c.unit == unit)
        order = (
            OBJECTIONS.c.due_at.is_(None),
            OBJECTIONS.c.due_at,
            OBJECTIONS.c.closed_at.desc(),
            OBJECTIONS.c.id,
        )
        query = select(OBJECTIONS).where(*conditions).order_by(*order)
        with self._store.reading() as session:
            total = session.execute(
                select(func.count()).select_from(OBJECTIONS).where(*conditions)
            ).scalar_one()
            rows = session.execute(query.offset(offset).limit(min(limit, MOST_ROWS))).mappings().all()
            names = names_of(session, [row["unit"] for row in rows])
        return total, [dict(row) for row in rows], names

    def _page_then(
        self, who: Principal, at: datetime, state: str, unit: str, offset: int, limit: int
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        conditions = [within(who, OBJECTIONS.c.unit), OBJECTIONS.c.filed_at <= at]
        if unit:
            conditions.append(OBJECTIONS.c.unit == unit)
        with self._store.reading() as session:
            past = stood(session, OBJECTIONS, OBJECTION_EVENTS, conditions, replay, at)
            rows = [one.row for one in sorted(past, key=due_first) if not state or one.row["state"] == state]
            shown = rows[offset : offset + min(limit, MOST_ROWS)]
            names = names_of(session, [row["unit"] for row in shown])
        return len(rows), [dict(row) for row in shown], names

    def one_then(self, who: Principal, objection: str, at: datetime) -> OneObjection:
        """One objection in the caller's area as it stood at a moment, with nothing to do. Raises NotFound."""
        with self._store.reading() as session:
            found(session, who, objection)
            past = stood(session, OBJECTIONS, OBJECTION_EVENTS, [OBJECTIONS.c.id == objection], replay, at)
            if not past:
                raise NotFound("当时还没有这件申诉，请选择更晚的日期。", code="assessment.unknown_objection")
            row, facts = past[0].row, past[0].facts
            units = {row["unit"], row["supervisor"]} | units_of(facts)
            return OneObjection(
                row=row,
                names=names_of(session, units),
                facts=facts,
                datum=datum_of(session, row["event_id"], row["unit"], at=at),
                replaced=replaced_by(session, row["correction"], row["unit"], at),
                title=self.title_of(row["probe"]),
                can=(),
            )

    def end_of(self, day: date | None) -> datetime | None:
        """The moment as of which a past day is shown; None for now. Raises Invalid."""
        return end_of(self._store.clock, day)

    def one(self, who: Principal, objection: str) -> OneObjection:
        """One objection in the caller's area. Raises NotFound."""
        with self._store.reading() as session:
            row = found(session, who, objection)
            facts = facts_of(session, OBJECTION_EVENTS, [objection])[objection]
            units = {row["unit"], row["supervisor"]} | units_of(facts)
            return OneObjection(
                row=row,
                names=names_of(session, units),
                facts=facts,
                datum=datum_of(session, row["event_id"], row["unit"]),
                replaced=replaced_by(session, row["correction"], row["unit"]),
                title=self.title_of(row["probe"]),
                can=tuple(self._can(session, who, row, facts)),
            )

    def contested(self, period: str, peer_group: str, as_of: AsOf = NOW) -> Contested:
        """
        What is in dispute among the scored units of a peer group; `period` "" is the newest year.

        Raises Invalid, NotFound for a past moment or a group that there is not.
        """
        if as_of != NOW:
            board = self._rankings.board(period, peer_group, as_of=as_of)
            with self._store.reading() as session:
                return Contested(board.window.year, key_of(board.framework), contested_on(session, board))
        framework = self._frameworks.current()
        with self._store.reading() as session:
            year = period or latest_year(session)
            query = select(UNIT_SCORES.c.unit).where(
                UNIT_SCORES.c.framework == key_of(framework),
                UNIT_SCORES.c.year == year,
                UNIT_SCORES.c.peer_group == peer_group,
            )
            units = list(session.execute(query).scalars())
            return Contested(year, key_of(framework), contested(session, framework, year, units))

    def waiting(self) -> tuple[int, int, float]:
        """How many objections run, how many are past their due time, and the age of the oldest in seconds."""
        now = self._store.clock.now()
        overdue = func.count().filter(OBJECTIONS.c.due_at <= now)
        query = select(func.count(), overdue, func.min(OBJECTIONS.c.filed_at)).where(
            OBJECTIONS.c.state != "closed"
        )
        with self._store.reading() as session:
            running, late, oldest = session.execute(query).one()
        return running, late, (now - oldest).total_seconds() if oldest else 0.0

    def now(self) -> datetime:
        """The moment against which due times are shown."""
        return self._store.clock.now()

    def title_of(self, probe: str) -> str:
        """What a probe looks at, as the catalogue says, or the result that people measure."""
        return self._frameworks.title_of(probe)

    def _can(
        self, session: Session, who: Principal, row: Mapping[str, Any], facts: Sequence[MatterFact]
    ) -> list[str]:
        progress = replay(facts)
        is_own = is_own_matter(session, who, row["unit"])
        is_maker = who.account in makers_of(session, row["source"], row["subject"])
        return [
            kind
            for kind, roles in WHO_MAY.items()
            if who.has(*roles)
            and progress.state in ACTS[kind][0]
            and (who.unit == row["unit"] if kind in BY_UNIT else not (is_own or is_maker))
            and not (kind in BY_SECOND and who.account == progress.drafter)
        ]


def found(session: Session, who: Principal, objection: str, *, change: bool = False) -> dict[str, Any]:
    """The objection as far as the caller may know of it. Raises NotFound."""
    area = true() if who is SYSTEM else within(who, OBJECTIONS.c.unit)
    wanted = select(OBJECTIONS).where(OBJECTIONS.c.id == objection, area)
    if change:
        wanted = wanted.with_for_update()
    row = session.execute(wanted).mappings().one_or_none() if is_id(objection) else None
    if row is None:
        raise NotFound("未找到该申诉，或不在您的管辖范围内。", code="assessment.unknown_objection")
    return dict(row)
