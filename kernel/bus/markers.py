"""
Markers: how a worker class, in plain Python, declares what it hears and which clocks it keeps.

    class AssessmentWorker:
        name = "assessment"

        @subscribe(topology.ASSESSMENT_SCORED, decode=scored_items)
        def scored(self, work, items): ...

        @every(seconds=5)
        def refresh(self): ...

        @loop
        def listen(self, stop): ...

kernel.hosting.worker turns the markers into nameko entrypoints, kernel.hosting.background into threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from kernel.messages import Item, Message, Queue, Refused

Decode = Callable[[Message], Sequence[Item | Refused]]
M = TypeVar("M", bound=Callable[..., Any])


class Part(StrEnum):
    """What of a worker a process does: hearing is not held up by clocks that are kept in a process of their own."""

    ALL = "all"
    HEARS = "hears"  # subscriptions, and the relay
    CLOCKS = "clocks"  # clocks and loops, sealing and upkeep


@dataclass(frozen=True, slots=True)
class Subscription:
    """A queue, how its messages are read, and how many are taken at once; `reader` names the worker's own way to read."""

    queue: Queue
    decode: Decode
    batch: int
    linger_seconds: float
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Something done again and again, `seconds` after it was last done."""

    seconds: float


def subscribe(
    queue: Queue, *, decode: Decode, batch: int = 100, linger_seconds: float = 0.05, reader: str = ""
) -> Callable[[M], M]:
    """
    The method takes facts from this queue: `method(work, items)`, inside the transaction that enters the
    items into the inbox. It may raise TemporaryError (waited out) or PermanentError (quarantine).

    `decode` says what the bytes mean; where more than bytes is needed for that (keys that check them), `reader` names
    the worker's method that takes its place.
    """

    def mark(method: M) -> M:
        found = Subscription(queue, decode, batch, linger_seconds, reader)
        method.__subscription__ = found  # type: ignore[attr-defined]
        return method

    return mark


def every(*, seconds: float) -> Callable[[M], M]:
    """The method, without arguments, is called again and again; runs never overlap."""

    def mark(method: M) -> M:
        method.__clockwork__ = Clockwork(seconds)  # type: ignore[attr-defined]
        return method

    return mark


def loop(method: M) -> M:
    """The method, given a threading.Event, runs for as long as the process and returns soon after it is set."""
    method.__loop__ = True  # type: ignore[attr-defined]
    return method


def subscriptions(worker: object) -> Iterator[tuple[str, Subscription]]:
    """The (method name, subscription) pairs a worker class or instance declares."""
    for name, found in _marked(worker, "__subscription__"):
        has_reader = found.reader and not isinstance(worker, type)
        yield name, replace(found, decode=getattr(worker, found.reader)) if has_reader else found


def clockworks(worker: object) -> Iterator[tuple[str, Clockwork]]:
    """The (method name, clockwork) pairs a worker class or instance declares."""
    yield from _marked(worker, "__clockwork__")


def loops(worker: object) -> Iterator[str]:
    """The names of the methods a worker class or instance declares as loops."""
    for name, _ in _marked(worker, "__loop__"):
        yield name


def _marked(worker: object, attribute: str) -> Iterator[tuple[str, Any]]:
    kind = worker if isinstance(worker, type) else type(worker)
    for name in dir(kind):
        mark = getattr(getattr(kind, name), attribute, None)
        if mark is not None:
            yield name, mark
