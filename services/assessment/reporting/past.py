"""
As of 截至, of self-reports: the heads as they stood at a moment, made anew from what was written and done until then.

What a head repeats is in the two append-only tables, so one statement gives the heads of any number of reports, and
whoever asks it narrows, counts and pages as always. A report begins with its first version: opened and not yet
written it says nothing, and is left out. Who may see a report follows from its state then (reach.py).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, case, func, select

from services.assessment.reporting.model import REPORT_EVENTS, REPORT_VERSIONS, REPORTS
from services.assessment.reporting.rules import DRAFT, LEADS_TO


def reports_at(at: datetime | None) -> FromClause:
    """The heads as they stood at a moment (None: now), with the columns of `reports`, to be put into a statement."""
    if at is None:
        return REPORTS
    versions, events = REPORT_VERSIONS.c, REPORT_EVENTS.c
    until = versions.report == REPORTS.c.id, versions.written_at <= at

    def last(column: Column[Any], *acts: str) -> Any:
        """What the last event until then has, or the last of some acts; nothing where there was none."""
        wanted = select(column).where(events.report == REPORTS.c.id, events.at <= at)
        if acts:
            wanted = wanted.where(events.act.in_(acts))
        return wanted.order_by(events.number.desc()).limit(1).scalar_subquery()

    written_at = select(func.max(versions.written_at)).where(*until).scalar_subquery()
    moved_at = last(events.at)
    then: dict[str, ColumnElement[Any]] = {
        "state": case(LEADS_TO, value=last(events.act), else_=DRAFT),
        "version": select(func.max(versions.version)).where(*until).scalar_subquery(),
        "submitted_version": func.coalesce(last(events.version), 0),
        "round": func.coalesce(last(events.round), 0),
        "score_milli": last(events.score_milli, "scored", "rescored"),
        "submitted_at": last(events.at, "submitted"),
        "changed_at": case((moved_at > written_at, moved_at), else_=written_at),
    }
    columns = [then[one.name].label(one.name) if one.name in then else one for one in REPORTS.c]
    is_begun = select(versions.report).where(*until).exists()
    return select(*columns).where(is_begun).subquery()
