"""
Rectification 督办整改: states, who may do what in which state, and what an ending says of the unit.

An order is what its facts add up to (`replay`); the row of an order repeats it for lists and clocks. Whoever
issued an order does not check the answer, and nobody handles an order of his own unit (R37). A matter in
reconsideration or in court is not supervised twice (行政执法监督条例 Art. 33). Next: service.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from contracts.findings import Basis, ProbeSet, Verdict, failed, graded, not_applicable, passed

State = Literal["", "proposed", "open", "answered", "checked", "closed"]
PROPOSED: State = "proposed"
OPEN: State = "open"
ANSWERED: State = "answered"
CHECKED: State = "checked"
CLOSED: State = "closed"
STATES = (PROPOSED, OPEN, ANSWERED, CHECKED, CLOSED)
ACTIVE = frozenset(STATES) - {CLOSED}
STATE_WORDS: Mapping[str, str] = {
    PROPOSED: "待签发",
    OPEN: "整改中",
    ANSWERED: "待复查",
    CHECKED: "待办结",
    CLOSED: "已办结",
}

RECTIFIED = "rectified"
UNRECTIFIED = "unrectified"
NOT_ESTABLISHED = "not_established"
PENDING_ELSEWHERE = "in_review_or_court"
NOT_ISSUED = "not_issued"
OUTCOME_WORDS: Mapping[str, str] = {
    RECTIFIED: "整改到位",
    UNRECTIFIED: "整改不到位",
    NOT_ESTABLISHED: "问题不成立",
    PENDING_ELSEWHERE: "已进入复议或者诉讼，不重复监督",
    NOT_ISSUED: "不予签发",
}
OUTCOMES = tuple(OUTCOME_WORDS)

# Which act may follow in which state, and the state it leads to ("" stays).
ACTS: Mapping[str, tuple[frozenset[State], State]] = {
    "proposed": (frozenset({""}), PROPOSED),
    "issued": (frozenset({"", PROPOSED}), OPEN),
    "joined": (ACTIVE, ""),
    "evidence": (frozenset({OPEN}), ""),
    "answered": (frozenset({OPEN}), ANSWERED),
    "checked": (frozenset({ANSWERED}), CHECKED),
    "returned": (frozenset({ANSWERED, CHECKED}), OPEN),
    "extended": (frozenset({OPEN}), ""),
    "escalated": (ACTIVE, ""),
    "closed": (ACTIVE, CLOSED),
}
ACT_WORDS: Mapping[str, str] = {
    "proposed": "提出督办建议",
    "issued": "签发督办",
    "joined": "新的预警并入",
    "evidence": "补充佐证材料",
    "answered": "报告整改情况",
    "checked": "复查",
    "returned": "退回补充整改",
    "extended": "延长期限",
    "escalated": "逾期升级督办",
    "closed": "办结",
}
DUE_CLOCKS: Mapping[State, str] = {
    PROPOSED: "order.confirm",
    OPEN: "order.rectify",
    ANSWERED: "order.check",
    CHECKED: "order.conclude",
}
SUPPLEMENT_CLOCK = "order.supplement"


@dataclass(frozen=True, slots=True)
class MatterFact:
    """One fact of a matter with a due time 办理记录."""

    seq: int
    kind: str
    actor: str
    actor_unit: str
    at: datetime
    due_at: datetime | None
    note: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """
    Where an order stands 督办进度: what its facts add up to.

    `is_late`: at some time the unit itself let a due time pass. `issuer` is who put the order to the unit.
    """

    state: State = ""
    version: int = 0
    due_at: datetime | None = None
    issuer: str = ""
    is_late: bool = False
    is_met: bool | None = None
    extensions: int = 0
    outcome: str = ""
    evidence: tuple[str, ...] = ()


def replay(facts: Iterable[MatterFact]) -> OrderProgress:
    """What these facts add up to, in the order of their numbers."""
    progress = OrderProgress()
    for fact in sorted(facts, key=lambda fact: fact.seq):
        progress = after(progress, fact)
    return progress


def after(progress: OrderProgress, fact: MatterFact) -> OrderProgress:
    """The progress once a fact is added; raises ValueError for a fact that cannot follow."""
    states, state = ACTS[fact.kind]
    if progress.state not in states:
        raise ValueError(f"{fact.kind} cannot follow in {progress.state!r}")
    changed = replace(progress, state=state or progress.state, version=fact.seq)
    if fact.kind == "closed":
        return replace(changed, due_at=None, outcome=str(fact.detail["outcome"]))
    if fact.kind == "escalated":
        return replace(changed, is_late=progress.is_late or progress.state == OPEN)
    if fact.kind == "evidence":
        return replace(changed, evidence=(*progress.evidence, str(fact.detail["digest"])))
    if fact.kind == "issued":
        changed = replace(changed, issuer=fact.actor)
    if fact.kind == "checked":
        changed = replace(changed, is_met=bool(fact.detail["is_met"]))
    if fact.kind == "returned":
        changed = replace(changed, is_met=None)
    if fact.kind == "extended":
        changed = replace(changed, extensions=progress.extensions + 1)
    return replace(changed, due_at=fact.due_at or progress.due_at)


def may_end(progress: OrderProgress, outcome: str, *, is_overdue: bool) -> bool:
    """
    Whether an order may end so.

    Not to issue is said of a proposal only; that all is put right needs a check that says so; that it is not put
    right needs a check, or a due time that passed without an answer. The two others end an order at any time.
    """
    if outcome == NOT_ISSUED:
        return progress.state == PROPOSED
    if outcome == RECTIFIED:
        return progress.state == CHECKED and progress.is_met is True
    if outcome == UNRECTIFIED:
        return progress.state == CHECKED or (progress.state == OPEN and is_overdue)
    return progress.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Handled:
    """How a unit handled an order 督办办理情况: the outcome ("" while it runs) and whether it was late."""

    outcome: str
    is_late: bool


PROBES: ProbeSet[Handled] = ProbeSet()
LATE_MARKS = 500


@PROBES.probe(
    "ASM-02",
    version=1,
    title="督办整改按期办结",
    basis=(
        Basis("行政执法监督条例", "2025-12-17", "第二十七条"),
        Basis("行政执法监督条例", "2025-12-17", "第三十四条"),
    ),
)
def closed_in_time(order: Handled) -> Verdict:
    """Put right in time: full marks; put right late: half; not put right, or running late: none."""
    if order.outcome == RECTIFIED:
        if order.is_late:
            return graded(LATE_MARKS, "督办事项逾期后整改到位")
        return passed("督办事项按期整改到位，已经复查")
    if order.outcome == UNRECTIFIED:
        return failed("督办事项整改不到位")
    if order.outcome:
        return not_applicable(f"督办事项{OUTCOME_WORDS[order.outcome]}")
    return failed("督办事项逾期未报告整改情况")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an order is to be opened for 督办事由; `matter` is a business object, "" where it is the node itself."""

    unit: str
    node: str
    title: str
    reason: str
    proof: str
    matter: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """A unit has one running order for each of these."""
        return self.unit, self.node, self.matter
