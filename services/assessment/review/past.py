"""
As of 截至, of reviews: who was asked, what was open and what was answered at a moment, from what was kept with its time.

An assignment is written once and told three moments: opened, done, replaced. Those still to come are put out, and the
row stands as it stood; with the reports of then (reporting/past.py) and the holders of then it gives every queue. What
somebody may see at all is decided by the rules of today. What happens later changes nothing of an earlier day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Join, and_, case, func, null, select

from services.assessment.reporting.past import reports_at
from services.assessment.reporting.rules import REVIEWING, SUBMITTED
from services.assessment.review.holders import is_lost
from services.assessment.review.model import (
    HOLDER_ROLE_VERSIONS,
    HOLDER_ROLES,
    HOLDER_VERSIONS,
    HOLDERS,
    REVIEW_ASSIGNMENTS,
)
from services.assessment.tables import UNITS

_MOMENTS = ("opened_at", "done_at", "replaced_at")


@dataclass(frozen=True)
class Standing:
    """What questions about reviews are put to: every table as it stood at a moment (None: now), and the day of it."""

    at: datetime | None
    day: date

    @cached_property
    def assignments(self) -> FromClause:
        """Assignments given until then."""
        return assignments_at(self.at)

    @cached_property
    def reports(self) -> FromClause:
        """The heads of reports."""
        return reports_at(self.at)

    @cached_property
    def units(self) -> FromClause:
        """Units with their names and places."""
        return UNITS.table_at(self.at)

    @cached_property
    def _holders(self) -> tuple[FromClause, FromClause]:
        return holders_at(self.at)

    def joined(self) -> Join:
        """Assignments with their reports and units."""
        one, report, unit = self.assignments.c, self.reports.c, self.units.c
        return self.assignments.join(self.reports, report.id == one.report).join(
            self.units, unit.code == report.unit
        )

    def in_state(self, state: str) -> ColumnElement[bool]:
        """The condition that an assignment is "open", "waiting" (open, not opened), "opened" or "done"."""
        one, report = self.assignments.c, self.reports.c
        if state == "done":
            return one.done_at.is_not(None)
        still_open = and_(
            one.done_at.is_(None),
            one.replaced_at.is_(None),
            one.round == report.round,
            report.state.in_((SUBMITTED, REVIEWING)),
        )
        if state == "waiting":
            return and_(still_open, one.opened_at.is_(None))
        return and_(still_open, one.opened_at.is_not(None)) if state == "opened" else still_open

    def is_late(self) -> ColumnElement[bool]:
        """The condition that the day of an answer is over."""
        return self.assignments.c.due_on < self.day

    def is_lost(self) -> ColumnElement[bool]:
        """The condition that an assignment is to be handed on 待移交."""
        holders, roles = self._holders
        return is_lost(self.assignments, holders, roles, self.units, self.day)

    def reviewer_name(self) -> ColumnElement[str]:
        """The name of who was asked, as it was told; "" of somebody never told of."""
        holders, _ = self._holders
        name = select(holders.c.name).where(holders.c.account == self.assignments.c.reviewer)
        return func.coalesce(name.scalar_subquery(), "")

    def is_unassigned(self) -> ColumnElement[bool]:
        """The condition that a report is submitted and nobody was asked yet to review it."""
        one, report = self.assignments.c, self.reports.c
        asked = select(one.id).where(one.report == report.id, one.round == report.round)
        return and_(report.state == SUBMITTED, ~asked.exists())


def assignments_at(at: datetime | None) -> FromClause:
    """The assignments as they stood at a moment (None: now), with the columns of `review_assignments`."""
    if at is None:
        return REVIEW_ASSIGNMENTS
    columns: Sequence[ColumnElement[Any]] = [
        case((one <= at, one), else_=null()).label(one.name) if one.name in _MOMENTS else one
        for one in REVIEW_ASSIGNMENTS.c
    ]
    return select(*columns).where(REVIEW_ASSIGNMENTS.c.assigned_at <= at).subquery()


def holders_at(at: datetime | None) -> tuple[FromClause, FromClause]:
    """Who held a role as it was known at a moment (None: now): holders, and their roles."""
    if at is None:
        return HOLDERS, HOLDER_ROLES
    heard = HOLDER_VERSIONS.alias()

    def newest(account: ColumnElement[str]) -> ColumnElement[int]:
        wanted = select(func.max(heard.c.version)).where(heard.c.account == account, heard.c.heard_at <= at)
        return wanted.scalar_subquery()

    holders, roles = HOLDER_VERSIONS.c, HOLDER_ROLE_VERSIONS.c
    return (
        select(HOLDER_VERSIONS).where(holders.version == newest(holders.account)).subquery(),
        select(HOLDER_ROLE_VERSIONS).where(roles.version == newest(roles.account)).subquery(),
    )
