"""
Clocks: the only way the platform learns what time it is.

Stored times are aware UTC; days and periods are those of Asia/Shanghai, whatever the host says.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Says what time it is, as aware UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that is set by hand: tests, replays, and questions "as of" a day."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to a moment, forwards or backwards."""
        self._at = at

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._at += by


def local_date(at: datetime) -> date:
    """The day in Asia/Shanghai on which a moment falls."""
    return at.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The moment a day begins in Asia/Shanghai, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last microsecond of a day in Asia/Shanghai, as UTC."""
    return start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1)


@lru_cache(maxsize=4096)  # findings of a load fall on the same few days
def local_period(at: datetime) -> str:
    """The month "YYYY-MM" of Asia/Shanghai in which a moment falls."""
    day = local_date(at)
    return f"{day.year:04d}-{day.month:02d}"


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 UTC, exact (no float in between)."""
    elapsed = at - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def from_microseconds(value: int) -> datetime:
    """The inverse of `microseconds`."""
    return _EPOCH + timedelta(microseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
