"""
Deciding bodies 决定机关: which unit a credit code meant on the day of a decision.

A unit that takes another's place (机构改革) often keeps its credit code, so one code may stand for two units, each
in its own time. The unit whose time it was is taken; where it was nobody's, the one whose time came last, because
what an unqualified body did is for the probes to find (行政处罚法 Art. 38) and not a reason to refuse the file.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.enforcement.registry.model import BODIES
from services.enforcement.tables import UNITS


@dataclass(slots=True)
class _Candidate:
    """One unit that bears a code: when it stood in the directory, and when it was a registered body."""

    unit: str
    path: str = ""
    stood: tuple[str, str] = ("", "")
    registered: tuple[str, str] | None = None

    def rank(self, day: str) -> tuple[bool, bool, bool, str, str]:
        """The higher, the likelier it is the one that acted on that day."""
        stood = _within(self.stood, day)
        qualified = self.registered is not None and _within(self.registered, day)
        first, last = self.registered or self.stood
        return stood and (qualified or self.registered is None), stood, qualified, first, last or "9999"


@dataclass(slots=True)
class DecidingBodies:
    """Looks codes up once each, registered bodies and units of the directory alike."""

    session: Session
    _known: dict[str, list[_Candidate]] = field(default_factory=dict)

    def learn(self, codes: Collection[str]) -> None:
        """Look up those of these codes that are not known yet, in two statements."""
        wanted = set(codes) - self._known.keys()
        if not wanted:
            return
        table = UNITS.table
        listed = select(
            table.c.credit_code, table.c.code, table.c.path, table.c.valid_from, table.c.valid_to
        ).where(table.c.credit_code.in_(wanted))
        found: dict[str, dict[str, _Candidate]] = {code: {} for code in wanted}
        for row in self.session.execute(listed):
            found[row.credit_code][row.code] = _Candidate(row.code, row.path, (row.valid_from, row.valid_to))
        bodies = (
            select(BODIES, table.c.path, table.c.valid_from.label("since"), table.c.valid_to.label("until"))
            .outerjoin(table, table.c.code == BODIES.c.unit)
            .where(BODIES.c.credit_code.in_(wanted))
        )
        for row in self.session.execute(bodies):
            candidate = found[row.credit_code].setdefault(
                row.unit, _Candidate(row.unit, row.path or "", (row.since or "", row.until or ""))
            )
            ends = row.valid_to.isoformat() if row.valid_to is not None else ""
            candidate.registered = (row.valid_from.isoformat(), ends)
        self._known |= {code: list(each.values()) for code, each in found.items()}

    def on(self, code: str, day: date) -> tuple[str, str] | None:
        """Unit and path of the body with this code on a day; None when nobody bears it."""
        best = max(self._known[code], key=lambda each: (each.rank(day.isoformat()), each.unit), default=None)
        return None if best is None else (best.unit, best.path)


def _within(time: tuple[str, str], day: str) -> bool:
    """Whether a day lies in a time; an empty bound is open."""
    first, last = time
    return first <= day and (not last or day <= last)
