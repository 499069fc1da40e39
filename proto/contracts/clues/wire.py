"""Wire form of clues 线索: the gateway routes them, the dealing service tells what became of them."""

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from contracts.clues.v1.clues_pb2 import ClueProgressed, ClueRouted, ClueState
from contracts.topology import CLUE_PROGRESSED, CLUE_TO_DISPUTES, CLUE_TO_ENFORCEMENT
from kernel.clock import microseconds
from kernel.errors import Unacceptable
from kernel.ids import is_id, new_id
from kernel.messages import Item, Message, Refused
from kernel.storage.work import Work


def read_routed(message: Message) -> Sequence[Item | Refused]:
    """A routed clue as an inbox item."""
    if message.name not in (CLUE_TO_ENFORCEMENT, CLUE_TO_DISPUTES):
        raise Unacceptable(
            f"不认识的消息版本 {message.name}，请升级后放行。", code="contracts.unknown_version"
        )
    try:
        routed = ClueRouted.FromString(message.body)
    except DecodeError as error:
        raise Unacceptable("消息无法按线索解码。", code="contracts.undecodable") from error
    if not is_id(routed.receipt):
        return [Refused(message.source, message.body, "contracts.bad_id", "线索回执号不合规范")]
    return [Item(message.source, routed.receipt, message.body, routed)]


def read_progress(message: Message) -> Sequence[Item | Refused]:
    """What became of a clue, as an inbox item."""
    if message.name != CLUE_PROGRESSED:
        raise Unacceptable(
            f"不认识的消息版本 {message.name}，请升级后放行。", code="contracts.unknown_version"
        )
    try:
        progressed = ClueProgressed.FromString(message.body)
    except DecodeError as error:
        raise Unacceptable("消息无法按线索进展解码。", code="contracts.undecodable") from error
    if not is_id(progressed.id) or not is_id(progressed.receipt):
        return [Refused(message.source, message.body, "contracts.bad_id", "进展编号或回执号不合规范")]
    return [Item(message.source, progressed.id, message.body, progressed)]


def tell_progress(work: Work, receipt: str, state: ClueState, note: str, subject: str = "") -> None:
    """Queue what became of a clue for the gateway, which answers the sender."""
    progressed = ClueProgressed(
        id=new_id(),
        receipt=receipt,
        state=state,
        note=note,
        subject=subject,
        recorded_at_us=microseconds(work.clock.now()),
    )
    work.tell(CLUE_PROGRESSED, progressed.SerializeToString(deterministic=True), aggregate=f"clue/{receipt}")
