"""
Which years clocks look at, and how far they have looked 看到哪里: kept in the transaction of what they found.

Next: watch.py, and detection/service.py, which asks here whether anything is new before it counts a year.
"""

from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.publication.closing import closed_at
from services.assessment.warnings.model import LOOKED


class LookedAt(NamedTuple):
    """A year that clocks look at, and how many events were known when it was closed; None while it is open."""

    year: str
    closed_at_seq: int | None


def looked_at(session: Session, today: date) -> list[LookedAt]:
    """
    The years that clocks look at: the running one, and the one before, whose last facts arrive until it is closed.

    What was known when that one was closed is still looked at; what came later is late, and listed for people.
    """
    before = str(today.year - 1)
    return [LookedAt(str(today.year), None), LookedAt(before, closed_at(session, before))]


def looked(session: Session, what: str) -> int:
    """Up to where was looked; 0 for what was never looked at."""
    query = select(func.coalesce(func.max(LOOKED.c.upto), 0)).where(LOOKED.c.what == what)
    upto: int = session.execute(query).scalar_one()
    return upto


def take_turn(work: Work, what: str) -> None:
    """Wait for another worker that looks at the same; what it saw is then known here."""
    write_rows(work.session, LOOKED, [{"what": what, "upto": 0}], keys=("what",), on_conflict={"upto": "add"})


def remember(work: Work, what: str, upto: int) -> None:
    """Keep up to where was looked; the caller commits."""
    row = {"what": what, "upto": upto}
    write_rows(work.session, LOOKED, [row], keys=("what",), on_conflict={"upto": "replace"})
