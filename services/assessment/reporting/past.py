"""
As of 截至, of self-reports: the heads as they stood at a moment, made anew from what was written and done until then.

What a head repeats is in the two append-only tables, so one statement gives the heads of any number of reports, and
whoever asks it narrows, counts and pages as always. A report begins when it is opened; one of before that was kept
begins with its first version. Who may see a report follows from its state then (reach.py).
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
        "version": func.coalesce(select(func.max(versions.version)).where(*until).scalar_subquery(), 0),
        "submitted_version": func.coalesce(last(events.version), 0),
        "round": func.coalesce(last(events.round), 0),
        "score_milli": last(events.score_milli, "scored", "rescored"),
        "submitted_at": last(events.at, "submitted"),
        "changed_at": case((moved_at > written_at, moved_at), else_=func.coalesce(written_at, moved_at)),
    }
    columns = [then[one.name].label(one.name) if one.name in then else one for one in REPORTS.c]
    is_written = select(versions.report).where(*until).exists()
    is_opened = select(events.report).where(events.report == REPORTS.c.id, events.at <= at).exists()
    return select(*columns).where(is_written | is_opened).subquery()
