"""
Assigning 分派审核: submitted reports find their reviewers, set-wise, by the rule of rules.py.

A clock does it, not the act of submitting: whoever submits cannot time the choice, and a report for which nobody may
be asked yet waits until somebody joins the roster. Only who holds the role that day is asked. One pass is three reads
and one write, however many reports wait.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select, text, update

from kernel.access.principal import SYSTEM, Principal
from kernel.calendar import WorkingCalendar
from kernel.clock import local_date
from kernel.errors import NotFound, RuleViolation
from kernel.ids import derived_id
from kernel.storage.reach import beyond
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.reporting.settings import ReviewSettings
from services.assessment.review.model import REVIEW_ASSIGNMENTS
from services.assessment.review.roster import loads, places, reviewers
from services.assessment.review.rules import (
    ARBITRATION,
    FIRST,
    SECOND,
    Place,
    Reviewer,
    chosen,
    eligible,
    is_drawn,
)

MOST_A_PASS = 5_000
_WAITING = (
    "SELECT r.id, r.unit, r.round FROM reports r WHERE r.state = 'submitted' AND NOT EXISTS "
    "(SELECT 1 FROM review_assignments a WHERE a.report = r.id AND a.round = r.round) "
    "ORDER BY r.submitted_at, r.id LIMIT :most"
)


class Assigning:
    """Gives reports to reviewers."""

    def __init__(self, store: Store, calendar: WorkingCalendar, settings: ReviewSettings) -> None:
        self._store = store
        self._calendar = calendar
        self.settings = settings

    def assign_waiting(self) -> int:
        """Give every submitted report that nobody has yet to its reviewers; returns how many were given."""
        with self._store.reading() as session:
            if session.execute(text(_WAITING), {"most": 1}).first() is None:
                return 0
        return self._store.transact(self._assign)

    def due(self, place: int, today: date) -> Any:
        """When an answer given out today is due."""
        days = {
            FIRST: self.settings.first_days,
            SECOND: self.settings.second_days,
            ARBITRATION: self.settings.arbitration_days,
        }[place]
        return self._calendar.working_days_after(today, days)

    def row(
        self,
        work: Work,
        report: str,
        unit: str,
        round_: int,
        place: int,
        reviewer: str,
        *,
        turn: int = 1,
        by: str = SYSTEM.account,
        reason: str = "",
    ) -> dict[str, Any]:
        """An assignment as it is stored; its name follows from what it is for."""
        due = self.due(place, local_date(work.clock.now()))
        return {
            "id": derived_id("review-assignment", report, str(round_), str(place), str(turn)),
            "report": report,
            "unit": unit,
            "round": round_,
            "place": place,
            "turn": turn,
            "reviewer": reviewer,
            "assigned_by": by,
            "reason": reason,
            "due_on": due.due_on,
            "is_provisional": due.provisional,
            "assigned_at": work.clock.now(),
            "opened_at": None,
            "done_at": None,
            "replaced_at": None,
        }

    def pick(
        self,
        roster: Sequence[Reviewer],
        unit: Place,
        carried: dict[str, int],
        report: str,
        *,
        but: frozenset[str],
    ) -> Reviewer | None:
        """The next reviewer of a unit's report who is none of `but`; counted in `carried` at once."""
        able = [one for one in eligible(roster, unit) if one.account not in but]
        found = chosen(able, carried, seed=self.settings.seed, report=report)
        if found is not None:
            carried[found.account] = carried.get(found.account, 0) + 1
        return found

    def reassign(
        self, work: Work, who: Principal, assignment: Any, unit: Place, *, reviewer: str, reason: str
    ) -> str:
        """
        Hand an unanswered review to another: the one named, or whose turn it is. Returns the new assignment's id.

        Raises NotFound, RuleViolation.
        """
        others = work.session.scalars(
            select(REVIEW_ASSIGNMENTS.c.reviewer).where(
                REVIEW_ASSIGNMENTS.c.report == assignment["report"],
                REVIEW_ASSIGNMENTS.c.round == assignment["round"],
            )
        ).all()
        roster = reviewers(work.session, local_date(work.clock.now()))
        if reviewer:
            roster = [one for one in roster if one.account == reviewer]
            if not roster:
                raise NotFound(
                    "评审员名册中没有这个账号，或其审核员授权已终止，请另选评审员。",
                    code="assessment.unknown_reviewer",
                )
        with beyond("how much every reviewer has in hand, in other areas too", work.session):
            carried = dict(loads(work.session))
        found = self.pick(roster, unit, carried, assignment["report"], but=frozenset(others))
        if found is None:
            raise RuleViolation(
                "没有可以接手的评审员：须在管辖范围内、与填报单位无隶属和条线关系，且未参与本轮评审。",
                code="assessment.no_reviewer",
            )
        turn = (
            1
            + work.session.execute(
                select(func.max(REVIEW_ASSIGNMENTS.c.turn)).where(
                    REVIEW_ASSIGNMENTS.c.report == assignment["report"],
                    REVIEW_ASSIGNMENTS.c.round == assignment["round"],
                    REVIEW_ASSIGNMENTS.c.place == assignment["place"],
                )
            ).scalar_one()
        )
        work.session.execute(
            update(REVIEW_ASSIGNMENTS)
            .where(REVIEW_ASSIGNMENTS.c.id == assignment["id"])
            .values(replaced_at=work.clock.now())
        )
        row = self.row(
            work,
            assignment["report"],
            assignment["unit"],
            assignment["round"],
            assignment["place"],
            found.account,
            turn=turn,
            by=who.account,
            reason=reason,
        )
        write_rows(work.session, REVIEW_ASSIGNMENTS, [row])
        return str(row["id"])

    def _assign(self, work: Work) -> int:
        waiting = work.session.execute(text(_WAITING), {"most": MOST_A_PASS}).all()
        units = places(work.session, {row.unit for row in waiting})
        roster = reviewers(work.session, local_date(work.clock.now()))
        carried = dict(loads(work.session))
        rows = []
        for report in waiting:
            unit = units.get(report.unit)
            if unit is not None:
                rows += self._rows_of(work, str(report.id), report.round, unit, roster, carried)
        written = write_rows(
            work.session,
            REVIEW_ASSIGNMENTS,
            rows,
            on_conflict="nothing",  # of any of its unique keys: two workers may give out the same report at once
            returning=("id",),
        )
        if written:
            work.audit(SYSTEM, "reviews.assigned", "reviews", object_version=str(len(written)))
        return len(written)

    def _rows_of(
        self,
        work: Work,
        report: str,
        round_: int,
        unit: Place,
        roster: Sequence[Reviewer],
        carried: dict[str, int],
    ) -> list[dict[str, Any]]:
        first = self.pick(roster, unit, carried, report, but=frozenset())
        if first is None:
            return []
        rows = [self.row(work, report, unit.unit, round_, FIRST, first.account)]
        if is_drawn(self.settings.seed, report, self.settings.second_share_milli):
            second = self.pick(roster, unit, carried, report, but=frozenset({first.account}))
            if second is not None:
                rows.append(self.row(work, report, unit.unit, round_, SECOND, second.account))
        return rows
