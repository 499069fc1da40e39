"""
Wire form of holders 任职授权: the gateway tells who holds which role, those who give out work by role keep a copy.

Whole accounts with a version, as the directory tells whole units: a higher version replaces a lower one, so late and
repeated messages change nothing. Told by gateway/identity/holders.py, kept by services/assessment/review/holders.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice

from contracts.decoding import decoded
from contracts.holders.v1.holders_pb2 import HeldRole, Holder, Holders
from contracts.topology import HOLDERS
from kernel.clock import from_microseconds
from kernel.messages import Item, Message, Refused

HOLDERS_PER_MESSAGE = 500


def read_holders(message: Message) -> Sequence[Item | Refused]:
    """The accounts of a message as inbox items, each known by account and version."""
    holders = decoded(message, Holders, "任职授权", HOLDERS).holders
    return [_item(holder, message.source) for holder in holders]


def pack_holders(holders: Iterable[Holder]) -> Iterator[bytes]:
    """Message bodies that carry these accounts."""
    rest = iter(holders)
    while some := list(islice(rest, HOLDERS_PER_MESSAGE)):
        yield Holders(holders=some).SerializeToString(deterministic=True)


def day_of(text: str) -> date | None:
    """A day of the wire; None where it is open. Raises ValueError."""
    return date.fromisoformat(text) if text else None


def _item(holder: Holder, source: str) -> Item | Refused:
    if fault := _fault(holder):
        alone = Holders(holders=[holder]).SerializeToString(deterministic=True)
        return Refused(source, alone, *fault)
    raw = holder.SerializeToString(deterministic=True)
    return Item(source, f"{holder.account}/{holder.version}", raw, holder)


def _fault(holder: Holder) -> tuple[str, str] | None:
    if not holder.account or not holder.unit or holder.version < 1:
        return "contracts.missing_field", "缺少账号、所属单位或版本"
    if not all(role.role and role.unit and role.unit_path and role.from_on for role in holder.roles):
        return "contracts.missing_field", "授权缺少角色、单位、单位路径或起始日期"
    if len({(role.role, role.unit) for role in holder.roles}) < len(holder.roles):
        return "contracts.repeated", "同一角色、同一单位的授权列了两次"
    try:
        from_microseconds(holder.occurred_at_us), from_microseconds(holder.recorded_at_us)
        is_ordered = all(map(_is_ordered, holder.roles))
    except (OverflowError, ValueError):
        return "contracts.bad_time", "日期或时间无法识别"
    return None if is_ordered else ("contracts.bad_time", "授权的终止日期早于起始日期")


def _is_ordered(role: HeldRole) -> bool:
    since, until = date.fromisoformat(role.from_on), day_of(role.until_on)
    return until is None or since <= until
