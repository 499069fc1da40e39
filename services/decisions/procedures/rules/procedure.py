"""
Procedure 决策程序: what the recorded steps of one decision add up to.

The state is never stored by hand: it is read off the steps. Participation, expert argument and risk appraisal
run beside one another, so there is no single line of states before the review; `phase` names the furthest
point reached.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

from services.decisions.procedures.rules import later_steps as later
from services.decisions.procedures.rules.steps import (
    Branch,
    CommentOpened,
    Consulted,
    Drafted,
    HearingHeld,
    NotApplicable,
    OpinionsHandled,
    Proposed,
    Started,
    Step,
    Studied,
)

AnyStep = (
    Proposed | Studied | Started | Drafted | Consulted | NotApplicable | CommentOpened | OpinionsHandled
    | HearingHeld | later.ExpertsArgued | later.RiskAppraised | later.ReviewSubmitted | later.ReviewReturned
    | later.ReviewComplete | later.ReviewIssued | later.ReviewAnswered | later.DiscussionSubmitted
    | later.Discussed | later.PartyReported | later.Decided | later.Published | later.Archived
    | later.ExecutionAssigned | later.ExecutionReported | later.EvaluationPlanned | later.Evaluated
    | later.Suspended | later.Changed | later.Ended
)  # fmt: skip
S = TypeVar("S", bound=Step)

# Step kind, the phase it brings about, and the phase's official name; the furthest one counts.
PHASES = (
    ("proposed", "proposal", "建议"),
    ("studied", "study", "研究论证"),
    ("started", "start", "决定启动"),
    ("drafted", "drafting", "拟订草案"),
    ("comment_opened", "parallel", "公众参与、专家论证、风险评估"),
    ("experts_argued", "parallel", "公众参与、专家论证、风险评估"),
    ("risk_appraised", "parallel", "公众参与、专家论证、风险评估"),
    ("review_submitted", "review", "合法性审查"),
    ("discussion_submitted", "submission", "提请讨论"),
    ("discussed", "discussion", "集体讨论"),
    ("party_reported", "party_report", "请示报告"),
    ("decided", "decision", "作出决定"),
    ("published", "publication", "公布"),
    ("archived", "archive", "归档"),
    ("execution_assigned", "execution", "执行"),
    ("evaluated", "evaluation", "后评估"),
    ("suspended", "suspension", "中止执行"),
    ("changed", "change", "调整"),
    ("ended", "end", "终结"),
)
PHASE_TITLES = {phase: title for _, phase, title in PHASES} | {"": "未登记"}


@dataclass(frozen=True, slots=True)
class Procedure:
    """The steps in force, in the order of recording; corrected ones are already replaced."""

    steps: tuple[AnyStep, ...]

    def all(self, kind: type[S]) -> list[S]:
        """Every step of a kind."""
        return [step for step in self.steps if isinstance(step, kind)]

    def last(self, kind: type[S]) -> S | None:
        """The latest step of a kind by its own day; of one day the one recorded last."""
        found: S | None = None
        for step in self.all(kind):
            if found is None or _moment(step) >= _moment(found):
                found = step
        return found

    def first(self, kind: type[S]) -> S | None:
        """The earliest step of a kind by its own day."""
        return min(self.all(kind), key=lambda step: step.on, default=None)

    def has(self, kind: str) -> bool:
        """Whether a step of this kind name was recorded."""
        return any(step.kind == kind for step in self.steps)

    def plus(self, step: AnyStep) -> "Procedure":
        """The procedure with one more step."""
        return Procedure((*self.steps, step))

    @property
    def started(self) -> Started | None:
        """The decision to start, from which the flags of the matter are read."""
        return self.last(Started)

    @property
    def lead(self) -> str:
        """The lead undertaking unit 牵头承办单位; empty while unknown."""
        started = self.started
        leads = [u.unit for u in started.undertakers if u.lead] if started else []
        return leads[0] if leads else ""

    def waived(self, branch: Branch) -> NotApplicable | None:
        """The recorded reason for which a parallel branch does not apply."""
        return next((step for step in reversed(self.all(NotApplicable)) if step.branch == branch), None)

    def branch_open(self, branch: Branch) -> bool:
        """Whether a parallel branch applies, by what is recorded so far."""
        if self.waived(branch) is not None:
            return False
        started = self.started
        if branch == "expert":
            return bool(started and started.technical) or self.has("experts_argued")
        if branch == "risk":
            return bool(started and started.risky) or self.has("risk_appraised")
        if branch == "hearing":
            return self.has("hearing_held")
        return True

    @property
    def phase(self) -> str:
        """The furthest phase reached; empty while nothing is recorded."""
        reached = {step.kind for step in self.steps}
        phases = [phase for kind, phase, _ in PHASES if kind in reached]
        return phases[-1] if phases else ""


def _moment(step: Step) -> tuple[date, time]:
    return step.on, step.at or time.min


def in_force(recorded: Iterable[tuple[str, str, AnyStep]]) -> Procedure:
    """
    The procedure of (step id, id of the step it corrects or empty, step) in order of recording.

    A correction takes the place of what it corrects; of several the last one holds.
    """
    places: dict[str, str] = {}
    held: dict[str, AnyStep] = {}
    for step_id, corrects, step in recorded:
        place = places.get(corrects, step_id)
        places[step_id] = place
        held[place] = step
    return Procedure(tuple(held.values()))
