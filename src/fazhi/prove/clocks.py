"""
Clocks that jump: what a scheduler under proof reads, and the plan by which the driver moves it.

The distance to the machine's clock lies in a file of eight bytes, so it jumps in all processes at the same moment.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kernel.clock import microseconds

_SIZE = 8


class ShiftedClock:
    """The machine's clock, moved by what a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open = -1

    def now(self) -> datetime:
        """What this clock shows."""
        if self._open < 0:
            self._open = os.open(self._file, os.O_RDONLY)
        shift = int.from_bytes(os.pread(self._open, _SIZE, 0), "big", signed=True)
        return datetime.now(UTC) + timedelta(microseconds=shift)


class Timeline:
    """
    The plan of jumps over a run of so many seconds: (share of the run, a moment to jump to or a distance).

    `first_reached` answers when, in seconds of the run, the clock first shows a moment.
    """

    def __init__(
        self, file: Path, jumps: Sequence[tuple[float, datetime | timedelta]], seconds: float
    ) -> None:
        self._file = file
        self._jumps = [(share * seconds, to) for share, to in jumps]
        self.seconds = seconds
        self._clock = ShiftedClock(file)
        self._started = 0.0
        self._done = 0
        self.began_at = datetime.now(UTC)

    def start(self) -> None:
        """Begin (again) at the first moment of the plan."""
        self._started, self._done = time.monotonic(), 0
        self.began_at = datetime.now(UTC)
        self.jump_when_due(0.0)

    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return time.monotonic() - self._started

    def now(self) -> datetime:
        """What the schedulers' clock shows."""
        return self._clock.now()

    def jump_when_due(self, elapsed: float) -> None:
        """Make the jumps whose time has come."""
        while self._done < len(self._jumps) and self._jumps[self._done][0] <= elapsed:
            to = self._jumps[self._done][1]
            shown = self.now() + to if isinstance(to, timedelta) else to
            self._write(microseconds(shown) - microseconds(datetime.now(UTC)))
            self._done += 1

    def move(self, by: timedelta) -> None:
        """Move the clock on, outside the plan."""
        self._write(microseconds(self.now() + by) - microseconds(datetime.now(UTC)))

    def shown_at(self, elapsed: float) -> datetime:
        """What the clock shows so many seconds into the run, by plan."""
        shown = datetime.min.replace(tzinfo=UTC)
        since = 0.0
        for at, to in self._jumps:
            if at > elapsed:
                break
            shown = shown + timedelta(seconds=at - since) + to if isinstance(to, timedelta) else to
            since = at
        return shown + timedelta(seconds=elapsed - since)

    def first_reached(self, moment: datetime) -> float | None:
        """Seconds into the run at which the clock first shows this moment or a later one; None: not in the run."""
        ends = [at for at, _ in self._jumps[1:]] + [self.seconds + 3600]
        for (at, _), end in zip(self._jumps, ends, strict=True):
            first = self.shown_at(at)
            if moment <= first:
                return at
            if moment <= first + timedelta(seconds=end - at):
                return at + (moment - first).total_seconds()
        return None

    def _write(self, shift: int) -> None:
        raw = shift.to_bytes(_SIZE, "big", signed=True)
        if not self._file.exists():
            self._file.write_bytes(raw)
            return
        descriptor = os.open(self._file, os.O_WRONLY)
        os.pwrite(descriptor, raw, 0)
        os.close(descriptor)
