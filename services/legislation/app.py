"""Bootstrap of legislation: the one place where it is put together and chooses its implementations."""

from dataclasses import dataclass

from contracts.corrections.reading import Corrections
from contracts.findings.papers import Papers
from kernel.calendar import WorkingCalendar, load_years
from kernel.hosting.runtime import Runtime
from kernel.search.port import SearchIndex
from kernel.storage.work import Store
from services.legislation.documents.folders import Collections
from services.legislation.documents.intake import Intake
from services.legislation.documents.service import Library
from services.legislation.drafting.papers import papers
from services.legislation.drafting.periods import DocumentPeriods
from services.legislation.drafting.service import Register
from services.legislation.search.service import SHAPE, ArticleSearch
from services.legislation.tables import CORRECTIONS, SPINE, UNITS
from services.legislation.usage.service import Usage

PACKAGE = "services.legislation"
ALIAS = "legislation-articles"


@dataclass(frozen=True, slots=True)
class Legislation:
    """The service, wired."""

    store: Store
    corrections: Corrections
    intake: Intake
    library: Library
    search: ArticleSearch
    usage: Usage
    register: Register
    papers: Papers

    def rebuild_index(self) -> int:
        """Make the search index anew while the old one answers; returns how many articles it has."""
        return self.search.rebuild()


def build(runtime: Runtime) -> Legislation:
    """Everything legislation can do, over what the process lends it."""
    store, blobs = runtime.store("legislation", SPINE), runtime.blobs("legislation")
    calendar = WorkingCalendar(load_years(runtime.catalog / "calendars"))
    return Legislation(
        store,
        Corrections(store, CORRECTIONS, UNITS),
        Intake(store, Collections.load(runtime.catalog / "legislation" / "collections.yaml")),
        Library(store),
        ArticleSearch(store, _index(runtime)),
        Usage(store),
        Register(
            store, DocumentPeriods.load(runtime.catalog / "clocks" / "legislation.yaml", calendar), blobs
        ),
        papers(store, blobs),
    )


def _index(runtime: Runtime) -> SearchIndex:
    url = runtime.settings.opensearch_url
    if url:
        # Each engine is loaded only where it is used: the other may not even be installed.
        from kernel.search.opensearch import OpenSearchIndex

        return OpenSearchIndex(SHAPE, url, ALIAS)
    from kernel.search.embedded import EmbeddedIndex

    return EmbeddedIndex(SHAPE, runtime.folder("search") / ALIAS)
