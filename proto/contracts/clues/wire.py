"""Wire form of clues 线索: the gateway routes them, the dealing service tells what became of them."""

from collections.abc import Sequence

from contracts.clues.v1.clues_pb2 import ClueProgressed, ClueRouted, ClueState
from contracts.decoding import decoded
from contracts.topology import CLUE_PROGRESSED, CLUE_TO_DISPUTES, CLUE_TO_ENFORCEMENT
from kernel.clock import microseconds
from kernel.ids import is_id, new_id
from kernel.messages import Item, Message, Refused
from kernel.storage.work import Work


def read_routed(message: Message) -> Sequence[Item | Refused]:
    """A routed clue as an inbox item."""
    routed = decoded(message, ClueRouted, "线索", CLUE_TO_ENFORCEMENT, CLUE_TO_DISPUTES)
    if not is_id(routed.receipt):
        return [Refused(message.source, message.body, "contracts.bad_id", "线索回执号不合规范")]
    return [Item(message.source, routed.receipt, message.body, routed)]


def read_progress(message: Message) -> Sequence[Item | Refused]:
    """What became of a clue, as an inbox item."""
    progressed = decoded(message, ClueProgressed, "线索进展", CLUE_PROGRESSED)
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
