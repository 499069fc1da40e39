"""What a question about scores is about: which framework, which months, and what is taken as known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kernel.clock import Clock, local_date
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.ranking.known import AsOf, Known, framework_known, known_as_of
from services.assessment.ranking.periods import Window, window
from services.assessment.scoring.roll_up import latest_year
from services.assessment.scoring.rules import ProbeState
from services.assessment.scoring.tallies import Assessed, states_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A framework, a window of months, and what is taken as known (None: all there is)."""

    framework: Framework
    window: Window
    known: Known | None

    @property
    def is_kept(self) -> bool:
        """Whether the scores asked for are those that are kept: of a whole year, as it is now."""
        return self.window.is_year and self.known is None

    def states(self, session: Session, units: Iterable[Assessed]) -> dict[str, dict[str, ProbeState]]:
        """Unit -> probe -> state, as asked."""
        return states_of(
            session,
            units,
            self.window.year,
            since=self.window.first,
            until=self.window.last,
            at_seq=self.known.seq if self.known else None,
            at=self.units_at,
        )

    @property
    def units_at(self) -> datetime | None:
        """The moment of which units are taken with their names and places; None for now."""
        return self.known.at if self.known else None


def what_is_asked(
    session: Session, frameworks: Frameworks, clock: Clock, period: str, upto: str, as_of: AsOf
) -> Asked:
    """The parts of a question; `period` "" is the newest year. Raises Invalid, NotFound."""
    known = known_as_of(session, clock, as_of)
    if not period:
        period = str(local_date(known.at).year) if known else latest_year(session)
        period = period or str(local_date(clock.now()).year)
    asked = window(period, upto)
    return Asked(framework_known(session, frameworks, known, int(asked.year)), asked, known)
