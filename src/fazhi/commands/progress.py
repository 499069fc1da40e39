"""Progress bars for anything over a second; plain lines where nobody looks at a terminal."""

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
    return lambda done: bars.advance(task, done)
