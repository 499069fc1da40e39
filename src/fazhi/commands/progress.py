"""Progress bars for anything over a second; plain lines where nobody looks at a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

console = Console(highlight=False)
LINE_SECONDS = 10.0


@contextmanager
def progress() -> Iterator[Progress]:
    """A block of progress bars."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield bars


def advancing(bars: Progress, description: str, total: int | None) -> Callable[[int], None]:
    """A new bar; the returned function moves it on by so many."""
    task = bars.add_task(description, total=total)
    if bars.disable:
        return _lines(description, total)
    return lambda done: bars.advance(task, done)


def _lines(description: str, total: int | None) -> Callable[[int], None]:
    """The same as lines for a log: one every ten seconds, and one at the end."""
    began = said = time.monotonic()
    done = 0
    of = "" if total is None else f" / {total}"

    def moved(by: int) -> None:
        nonlocal done, said
        done += by
        now = time.monotonic()
        if (by and done == total) or now - said >= LINE_SECONDS:
            said = now
            console.print(f"{description} {done}{of}  {now - began:.0f} s", soft_wrap=True)

    return moved
