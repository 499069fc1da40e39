"""What the log and the evidence files say of every unit of a year, counted set-wise."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kernel.clock import start_of_day
from kernel.storage.reach import beyond
from kernel.storage.types import time_text
from services.assessment.detection.rules import Observed, Parameters
from services.assessment.framework.values import Framework
from services.assessment.reporting.model import REPORT_FILES
from services.assessment.scoring.model import STANDING, UNIT_SCORES
from services.assessment.scoring.tallies import assessed_units

# A finding of assessment's own carries its framework and result in the probe; those of services do not.
# What was corrected since is held against nobody.
_COUNTS = f"e.outcome <= 2 AND {STANDING}"
_COUNTED = """
    SELECT e.unit,
        coalesce(sum(e.score_milli) FILTER (WHERE e.probe LIKE '%/%' AND e.mode = 1 AND {counts}), 0) AS own_marks,
        count(*) FILTER (WHERE e.probe LIKE '%/%' AND e.mode = 1 AND {counts}) AS own_count,
        coalesce(sum(e.score_milli) FILTER (WHERE e.probe LIKE '%/%' AND e.mode = 4 AND {counts}), 0) AS outside_marks,
        count(*) FILTER (WHERE e.probe LIKE '%/%' AND e.mode = 4 AND {counts}) AS outside_count,
        count(*) FILTER (WHERE e.mode <= 2 AND e.corrects IS NULL) AS recorded,
        count(*) FILTER (WHERE e.mode <= 2 AND e.corrects IS NULL AND ({near})) AS bunched,
        count(*) FILTER (WHERE e.mode <= 2 AND e.corrects IS NULL AND {late}) AS late
    FROM event_log e WHERE e.period >= :first AND e.period <= :last GROUP BY e.unit
"""
_REOPENED = """
    SELECT t.unit, count(*) AS times FROM event_log t
    JOIN event_log closed ON closed.corrects = t.event_id AND closed.source = t.source AND closed.outcome = 1
    JOIN event_log again ON again.corrects = closed.event_id AND again.source = t.source AND again.outcome = 2
    WHERE t.outcome = 2 AND t.period >= :first AND t.period <= :last GROUP BY t.unit
"""
_LATE = {
    "postgresql": "e.recorded_at - e.occurred_at > make_interval(days => :late_days)",
    "sqlite": "julianday(e.recorded_at) - julianday(e.occurred_at) > :late_days",
}


def observe(session: Session, framework: Framework, year: str, settings: Parameters) -> list[Observed]:
    """Every assessed unit with what is counted of it; two statements whatever the number of events."""
    dialect = session.connection().dialect.name
    windows = _windows(int(year), settings)
    near = " OR ".join(
        f"(e.recorded_at >= :from{number} AND e.recorded_at < :until{number})"
        for number in range(len(windows))
    )
    values: dict[str, object] = {
        "first": f"{year}-01",
        "last": f"{year}-12",
        "late_days": settings.backdating.days,
    }
    for number, (begins, ends) in enumerate(windows):
        values |= {f"from{number}": _bound(begins, dialect), f"until{number}": _bound(ends, dialect)}
    rows = session.execute(text(_COUNTED.format(near=near, late=_LATE[dialect], counts=_COUNTS)), values)
    counted = {row.unit: row for row in rows}
    again = {
        row.unit: row.times
        for row in session.execute(text(_REOPENED), {"first": f"{year}-01", "last": f"{year}-12"})
    }
    found = []
    for unit in assessed_units(session, framework):
        row = counted.get(unit.code)
        if row is not None:
            numbers = {name: int(getattr(row, name)) for name in row._fields if name != "unit"}
            found.append(Observed(unit.code, unit.group.id, reopened=again.get(unit.code, 0), **numbers))
    return found


def copies(session: Session, year: str) -> dict[str, list[str]]:
    """Digest -> the units that handed it in, of files that more than one did."""
    query = select(REPORT_FILES.c.digest, REPORT_FILES.c.unit).where(REPORT_FILES.c.year == year)
    found: dict[str, list[str]] = {}
    with beyond("that two units handed in one file is known only to who looks at all", session):
        rows = session.execute(query).all()
    for digest, unit in rows:
        found.setdefault(digest, []).append(unit)
    return {digest: units for digest, units in found.items() if len(set(units)) > 1}


def newest(session: Session, framework: str, year: str) -> tuple[int, int]:
    """
    By which a year has changed since it was looked at: the last event that moved a score, and how many files there are.

    `framework` is the key of the one in force for the year. Both are small to read, whatever the number of events.
    """
    scores = UNIT_SCORES.c
    moved = select(func.coalesce(func.max(scores.at_seq), 0)).where(
        scores.framework == framework, scores.year == year
    )
    files = select(func.count()).select_from(REPORT_FILES).where(REPORT_FILES.c.year == year)
    return session.execute(moved).scalar_one(), session.execute(files).scalar_one()


def _windows(year: int, settings: Parameters) -> Sequence[tuple[datetime, datetime]]:
    """The last days before each deadline of a year."""
    ends = [
        start_of_day(date.fromisoformat(f"{year}-{day}")) + timedelta(days=1) for day in settings.deadlines
    ]
    return [(end - timedelta(days=settings.bunching.days), end) for end in ends]


def _bound(moment: datetime, dialect: str) -> object:
    """A moment as the database stores it."""
    return moment if dialect == "postgresql" else time_text(moment)
