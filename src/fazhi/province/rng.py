"""
Chance that is the same on every machine: splitmix64 (Steele, Lea, Flood 2014) over integers only.

The standard library's generator keeps its bit stream but not what its choice and shuffle make of it, and
its seeding of text has changed before. Here a stream belongs to a key ("cases", unit, year), so any part of
the province can be made alone, in any order, and comes out the same.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Stream:
    """An endless row of integers that depends on its key and on nothing else."""

    __slots__ = ("_state",)

    def __init__(self, *key: str | int) -> None:
        text = "\x1f".join(str(part) for part in key)
        self._state = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    def below(self, limit: int) -> int:
        """An integer from 0 to limit - 1."""
        self._state = state = (self._state + _GOLDEN) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((state ^ (state >> 31)) * limit) >> 64

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both possible."""
        return low + self.below(high - low + 1)

    def early(self, low: int, high: int) -> int:
        """Like `between`, but small numbers are likelier: the lesser of two draws."""
        return low + min(self.below(high - low + 1), self.below(high - low + 1))

    def chance(self, per_mille: int) -> bool:
        """True in so many of a thousand draws."""
        return self.below(1000) < per_mille

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def weighted(self, weights: Sequence[int]) -> int:
        """The index of one of the weights, as likely as it weighs."""
        left = self.below(sum(weights))
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return index
        raise AssertionError("unreachable: the draw is below the sum")

    def pair(self, items: Sequence[T]) -> tuple[T, T]:
        """Two different items in the order of the list; the list has at least two."""
        first = self.below(len(items))
        second = self.below(len(items) - 1)
        if second >= first:
            return items[first], items[second + 1]
        return items[second], items[first]


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole into integers in proportion to weights, exactly (largest remainder)."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    rest = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in rest[: total - sum(parts)]:
        parts[index] += 1
    return parts
