"""What legislation hears and which clocks it keeps."""

from collections.abc import Sequence

from contracts.citations.v1.citations_pb2 import Citation
from contracts.citations.wire import read_citations
from contracts.corrections.wire import read_corrections
from contracts.topology import CORRECTION_NOTICES, DIRECTORY, LEGISLATION_CITATIONS
from contracts.units import read_units
from kernel.bus.markers import every, subscribe
from kernel.clock import local_date
from kernel.messages import Item
from kernel.storage.work import Work
from services.legislation.app import Legislation
from services.legislation.documents.rules import title_key
from services.legislation.drafting.uses import Use
from services.legislation.tables import CORRECTIONS, FINDINGS, UNITS
from services.legislation.usage.rules import read_day


class LegislationWorker:
    """Counts citations, keeps the search index, and looks again at what time changes."""

    name = "legislation"

    def __init__(self, app: Legislation) -> None:
        self._app = app

    @subscribe(DIRECTORY["legislation"], decode=read_units)
    def units(self, work: Work, items: Sequence[Item]) -> None:
        """Take over units told by the gateway."""
        UNITS.apply(work, items)

    @subscribe(CORRECTION_NOTICES["legislation"], decode=read_corrections)
    def corrections(self, work: Work, items: Sequence[Item]) -> None:
        """更正通知: upheld objections against what legislation told."""
        CORRECTIONS.hear(work, items, FINDINGS.table)

    @every(seconds=15)
    def measure_corrections(self) -> None:
        """Gauges: corrections that wait, and how old the oldest is."""
        CORRECTIONS.measure(self._app.store)

    @subscribe(LEGISLATION_CITATIONS, decode=read_citations)
    def citations(self, work: Work, items: Sequence[Item]) -> None:
        """Count citations, and see whether an expired normative document is still in use."""
        self._app.usage.take(work, items)
        today = local_date(work.clock.now())
        cited = (item.value for item in items if isinstance(item.value, Citation))
        self._app.register.note_use(
            work, (Use(title_key(one.document), one.unit, read_day(one.cited_on) or today) for one in cited)
        )

    @every(seconds=15)
    def keep_index(self) -> None:
        """Bring the search index up to date."""
        self._app.search.keep()

    @every(seconds=60)
    def resolve_waiting_citations(self) -> None:
        """Count citations whose document came into the library later."""
        self._app.usage.resolve_waiting()

    @every(seconds=900)
    def look_again(self) -> None:
        """Statuses and filing periods change with the day."""
        self._app.intake.refresh_statuses()
        self._app.register.look_at_due()
