"""
Wire form of findings: scored events to bytes and back, checked on the way in.

What does not meet the contract is refused one event at a time, so a bad event never takes its neighbours along.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from contracts.decoding import decoded
from contracts.events.v1.scored_pb2 import Basis as BasisMessage
from contracts.events.v1.scored_pb2 import Evidence as EvidenceMessage
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.findings.statement import Statement, statement
from contracts.findings.values import FULL_MARKS_MILLI, Basis, Evidence, Finding, Mode, Outcome
from contracts.topology import SCORED
from kernel.clock import from_microseconds, microseconds
from kernel.errors import Unacceptable
from kernel.ids import is_id
from kernel.ledger.batch import MAX_PROOF_CHARS
from kernel.messages import Item, Message, Refused

EVENTS_PER_MESSAGE = 100
BYTES_PER_MESSAGE = 256 * 1024
MAX_EVENT_BYTES = 64 * 1024  # without its signature
MAX_SIGNATURE_BYTES = 408  # of an event among a hundred, with its tag
MAX_MEASURE = 2**53 - 1  # what canonical JSON (RFC 8785) can write
OLDEST = timedelta(days=3660)
NEWEST = timedelta(minutes=5)
_OUTCOMES = frozenset(int(outcome) for outcome in Outcome)
_MODES = frozenset(int(mode) for mode in Mode)


def scored_event(
    finding: Finding,
    *,
    event_id: str,
    source: str,
    unit: str,
    subject: str,
    mode: Mode,
    recorded_at_us: int,
    corrects: str = "",
    trace: str = "",
) -> ScoredEvent:
    """The scored event of a finding."""
    return ScoredEvent(
        id=event_id,
        source=source,
        probe=finding.probe,
        probe_version=finding.probe_version,
        unit=unit,
        subject=subject,
        outcome=int(finding.outcome),  # type: ignore[arg-type]
        score_milli=finding.score_milli,
        numerator=finding.numerator,
        denominator=finding.denominator,
        mode=int(mode),  # type: ignore[arg-type]
        occurred_at_us=microseconds(finding.occurred_at),
        recorded_at_us=recorded_at_us,
        basis=_basis(finding.basis),
        evidence=_evidence(finding.evidence),
        corrects=corrects,
        trace=trace,
        reason=finding.reason,
    )


# A load tells millions of events whose basis and evidence are the same few; protobuf copies what it is given.
@lru_cache(maxsize=1000)
def _basis(every: tuple[Basis, ...]) -> tuple[BasisMessage, ...]:
    return tuple(BasisMessage(document=b.document, version=b.version, article=b.article) for b in every)


@lru_cache(maxsize=1000)
def _evidence(every: tuple[Evidence, ...]) -> tuple[EvidenceMessage, ...]:
    return tuple(
        EvidenceMessage(digest=e.digest, media_type=e.media_type, name=e.name, place=e.place) for e in every
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A scored event that meets the contract, the bytes that tell a repeat, and its statement, made once."""

    event: ScoredEvent
    raw: bytes
    said: Statement


Fault = tuple[str, str]
Check = Callable[[Sequence[Told]], Sequence[Fault | None]]


def _unsigned(_events: Sequence[ScoredEvent]) -> None:
    """Nobody signs here."""


def _unchecked(told: Sequence[Told]) -> Sequence[Fault | None]:
    """Nobody's keys are known here."""
    return [None] * len(told)


def pack(
    events: Iterable[ScoredEvent], sign: Callable[[Sequence[ScoredEvent]], None] = _unsigned
) -> Iterator[bytes]:
    """
    Message bodies that carry these events: a hundred at most, or a quarter of a megabyte, in each.

    `sign` is given the events of each message and writes their signatures, for which room is left.
    """
    waiting: list[ScoredEvent] = []
    size = 0
    for event in events:
        size += (own := event.ByteSize() + MAX_SIGNATURE_BYTES)
        if waiting and (len(waiting) == EVENTS_PER_MESSAGE or size > BYTES_PER_MESSAGE):
            yield _body(waiting, sign)
            waiting, size = [], own
        waiting.append(event)
    if waiting:
        yield _body(waiting, sign)


def _body(events: Sequence[ScoredEvent], sign: Callable[[Sequence[ScoredEvent]], None]) -> bytes:
    sign(events)
    return ScoredEvents(events=events).SerializeToString(deterministic=True)


def read_scored(message: Message, check: Check = _unchecked) -> Sequence[Item | Refused]:
    """
    The events of a message as inbox items of `Told`; raises Unacceptable when the message is none of ours.

    `check` says of the events that meet the contract, each as (code, reason), what is wrong with their signatures.
    """
    source = message.source
    events = decoded(message, ScoredEvents, "计分事件", SCORED).events
    if not events:
        raise Unacceptable("消息中没有计分事件。", code="contracts.empty_message")
    read = [_read(event, source) for event in events]
    faults = iter(check([each for each in read if isinstance(each, Told)]))
    return [_item(each, source, next(faults)) if isinstance(each, Told) else each for each in read]


def _read(event: ScoredEvent, source: str) -> Told | Refused:
    raw = _without_signature(event)
    if fault := _fault(event, source, len(raw)):
        return _refused(event, source, fault)
    return Told(event, raw, statement(event))


def _item(told: Told, source: str, fault: Fault | None) -> Item | Refused:
    return _refused(told.event, source, fault) if fault else Item(source, told.event.id, told.raw, told)


def _refused(event: ScoredEvent, source: str, fault: Fault) -> Refused:
    # alone in a message of its own, so that it can be released through the same door
    return Refused(source, ScoredEvents(events=[event]).SerializeToString(deterministic=True), *fault)


def _without_signature(event: ScoredEvent) -> bytes:
    """What makes two events the same: one that is told again, signed with a later key, is a repeat."""
    if not (signature := event.source_sig):
        return event.SerializeToString(deterministic=True)
    event.source_sig = ""
    raw = event.SerializeToString(deterministic=True)
    event.source_sig = signature
    return raw


def _fault(event: ScoredEvent, source: str, size: int) -> Fault | None:  # noqa: PLR0911  (a list of checks)
    """What is wrong with an event, as (code, reason); None when nothing is."""
    if size > MAX_EVENT_BYTES:
        return "contracts.event_too_large", f"计分事件 {size} 字节，超过上限 {MAX_EVENT_BYTES}"
    if len(event.source_sig) > MAX_PROOF_CHARS:
        return (
            "contracts.signature_malformed",
            "来源签名过长：请核对来源服务的版本；拒收这一条，再用 fazhi reconcile --resend 签名补发",
        )
    if not is_id(event.id) or (event.corrects and not is_id(event.corrects)):
        return "contracts.bad_id", "事件编号不是规范的 UUID"
    if event.source != source:
        return "contracts.foreign_source", f"事件自称来自 {event.source[:50]!r}，实由 {source} 发出"
    if not event.unit or not event.probe or not event.subject or event.probe_version < 1:
        return "contracts.missing_field", "缺少单位、探针、探针版本或业务对象"
    if event.outcome not in _OUTCOMES or event.mode not in _MODES:
        return "contracts.unknown_code", "结果或接入模式代码不在代码表中"
    if not 0 <= event.score_milli <= FULL_MARKS_MILLI or (event.score_milli and event.outcome > Outcome.FAIL):
        return "contracts.bad_score", "得分须在 0 至 1000（千分）之间，且只有符合、不符合可以计分"
    if not (0 <= event.numerator <= MAX_MEASURE and 0 <= event.denominator <= MAX_MEASURE):
        return "contracts.bad_measure", "分子、分母须为不超过 2 的 53 次方的非负整数"
    return _bad_times(event)


def _bad_times(event: ScoredEvent) -> Fault | None:
    try:
        occurred, recorded = from_microseconds(event.occurred_at_us), from_microseconds(event.recorded_at_us)
    except OverflowError:
        return "contracts.bad_time", "时间超出可表示范围"
    if not recorded - OLDEST <= occurred <= recorded + NEWEST:
        return "contracts.bad_time", "发生时间须在记录时间之前十年以内"
    return None
