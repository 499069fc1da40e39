"""
Objections 申诉: what a unit asks, the states by facts, who may answer, and the correction an upheld one becomes.

The unit assessed may contest a datum and the body must handle it in time (行政执法监督条例 Art. 30). The answer has
reasons, is given by somebody not of that unit and not who made the datum, and a second person confirms it (R37).
Next: service.py, and contested.py for the points in dispute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from contracts.findings import FULL_MARKS_MILLI, Outcome
from services.assessment.rectification.rules import MatterFact

State = Literal["", "filed", "accepted", "drafted", "correcting", "closed"]
FILED: State = "filed"
ACCEPTED: State = "accepted"
DRAFTED: State = "drafted"
CORRECTING: State = "correcting"
CLOSED: State = "closed"
STATES = (FILED, ACCEPTED, DRAFTED, CORRECTING, CLOSED)
ACTIVE = frozenset(STATES) - {CLOSED}
BEFORE_ANSWER = frozenset({FILED, ACCEPTED})
STATE_WORDS: Mapping[str, str] = {
    FILED: "待受理",
    ACCEPTED: "已受理",
    DRAFTED: "待复核",
    CORRECTING: "转来源单位更正",
    CLOSED: "已答复",
}

UPHELD = "upheld"
PARTLY = "partly"
REJECTED = "rejected"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
OUTCOME_WORDS: Mapping[str, str] = {
    UPHELD: "申诉成立",
    PARTLY: "部分成立",
    REJECTED: "申诉不成立",
    REFUSED: "不予受理",
    WITHDRAWN: "单位撤回",
}
ANSWERS = (UPHELD, PARTLY, REJECTED)

# What a unit may ask of a datum: count it as met, or do not count it because the rule does not reach it.
ASKED_PASS = "pass"  # noqa: S105  (an outcome)
ASKED_NOT_APPLICABLE = "not_applicable"

ACTS: Mapping[str, tuple[frozenset[State], State]] = {
    "filed": (frozenset({""}), FILED),
    "evidence": (BEFORE_ANSWER, ""),
    "withdrawn": (BEFORE_ANSWER, CLOSED),
    "accepted": (frozenset({FILED}), ACCEPTED),
    "refused": (frozenset({FILED}), CLOSED),
    "drafted": (frozenset({ACCEPTED}), DRAFTED),
    "sent_back": (frozenset({DRAFTED}), ACCEPTED),
    "answered": (frozenset({DRAFTED}), CLOSED),
    "transferred": (frozenset({DRAFTED}), CORRECTING),
    "corrected": (frozenset({CORRECTING}), CLOSED),
    "escalated": (ACTIVE, ""),
}
ACT_WORDS: Mapping[str, str] = {
    "filed": "提出申诉",
    "evidence": "补充佐证材料",
    "withdrawn": "撤回申诉",
    "accepted": "受理",
    "refused": "不予受理",
    "drafted": "拟出答复",
    "sent_back": "复核未通过，退回重拟",
    "answered": "复核通过，答复单位",
    "transferred": "复核通过，转来源单位更正",
    "corrected": "来源单位已更正",
    "escalated": "逾期上报",
}
DUE_CLOCKS: Mapping[State, str] = {
    FILED: "objection.accept",
    ACCEPTED: "objection.answer",
    DRAFTED: "objection.confirm",
    CORRECTING: "objection.correct",
}
FILING_CLOCK = "objection.file"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an objection stands 申诉进度: what its facts add up to."""

    state: State = ""
    version: int = 0
    due_at: datetime | None = None
    drafter: str = ""
    answer: "Answer | None" = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A drafted answer 拟答复; `score_milli` is what a partly upheld datum is worth, in thousandths."""

    outcome: str
    reasons: str
    score_milli: int = 0


def replay(facts: Iterable[MatterFact]) -> Progress:
    """What these facts add up to, in the order of their numbers."""
    progress = Progress()
    for fact in sorted(facts, key=lambda fact: fact.seq):
        progress = after(progress, fact)
    return progress


def after(progress: Progress, fact: MatterFact) -> Progress:
    """The progress once a fact is added; raises ValueError for a fact that cannot follow."""
    states, state = ACTS[fact.kind]
    if progress.state not in states:
        raise ValueError(f"{fact.kind} cannot follow in {progress.state!r}")
    changed = replace(progress, state=state or progress.state, version=fact.seq)
    if fact.kind == "drafted":
        answer = Answer(str(fact.detail["outcome"]), fact.note, int(fact.detail["score_milli"]))
        changed = replace(changed, drafter=fact.actor, answer=answer)
    if changed.state == CLOSED:
        outcome = fact.kind if fact.kind in (REFUSED, WITHDRAWN) else ""
        return replace(
            changed, due_at=None, outcome=outcome or (changed.answer.outcome if changed.answer else "")
        )
    if fact.kind in ("evidence", "escalated"):
        return changed
    return replace(changed, due_at=fact.due_at or progress.due_at)


def corrected_marks(answer: Answer, asked: str) -> tuple[Outcome, int]:
    """Outcome and thousandths that an upheld objection gives the datum."""
    if answer.outcome == PARTLY:
        full = answer.score_milli == FULL_MARKS_MILLI
        return (Outcome.PASS if full else Outcome.FAIL), answer.score_milli
    if asked == ASKED_NOT_APPLICABLE:
        return Outcome.NOT_APPLICABLE, 0
    return Outcome.PASS, FULL_MARKS_MILLI
