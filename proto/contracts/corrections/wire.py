"""
Wire form of corrections asked 更正通知: assessment tells one for each upheld objection, the owner of the datum reads it.

Every service hears all of them and keeps its own (register.py): there are few, and one name needs no routing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from contracts.decoding import decoded
from contracts.findings.values import FULL_MARKS_MILLI, Outcome
from contracts.topology import CORRECTION_ASKED
from kernel.clock import from_microseconds, microseconds
from kernel.ids import is_id, new_id
from kernel.messages import Item, Message, Refused
from kernel.storage.work import Work

_OUTCOMES = frozenset(map(int, (Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is asked of a service: the event, its place in the register of findings, and what it ought to say."""

    service: str
    objection: str
    event: str
    unit: str
    probe: str
    subject: str
    outcome: Outcome
    score_milli: int
    reason: str
    due_at: datetime


def tell_correction(work: Work, asked: Correction) -> str:
    """Queue it for the service that owns the datum, in the transaction of `work`; returns the id of the fact."""
    told = CorrectionAsked(
        id=new_id(),
        service=asked.service,
        objection=asked.objection,
        event=asked.event,
        unit=asked.unit,
        probe=asked.probe,
        subject=asked.subject,
        outcome=int(asked.outcome),  # type: ignore[arg-type]
        score_milli=asked.score_milli,
        reason=asked.reason,
        due_at_us=microseconds(asked.due_at),
        occurred_at_us=microseconds(work.clock.now()),
    )
    work.tell(
        CORRECTION_ASKED, told.SerializeToString(deterministic=True), aggregate=f"objection/{asked.objection}"
    )
    return told.id


def read_corrections(message: Message) -> Sequence[Item | Refused]:
    """A correction asked, as an inbox item."""
    asked = decoded(message, CorrectionAsked, "更正通知", CORRECTION_ASKED)
    if fault := _fault(asked):
        return [Refused(message.source, message.body, *fault)]
    return [Item(message.source, asked.id, message.body, asked)]


def _fault(asked: CorrectionAsked) -> tuple[str, str] | None:
    if not all(map(is_id, (asked.id, asked.objection, asked.event))):
        return "contracts.bad_id", "通知、申诉或事件的编号不是规范的 UUID"
    if not (asked.service and asked.unit and asked.probe and asked.subject):
        return "contracts.missing_field", "缺少来源服务、单位、探针或业务对象"
    if asked.outcome not in _OUTCOMES:
        return "contracts.unknown_code", "应更正为的结果不在代码表中"
    if not 0 <= asked.score_milli <= FULL_MARKS_MILLI:
        return "contracts.bad_score", "得分须在 0 至 1000（千分）之间"
    try:
        from_microseconds(asked.due_at_us), from_microseconds(asked.occurred_at_us)
    except OverflowError:
        return "contracts.bad_time", "时间超出可表示范围"
    return None
