"""Legislation on both databases, with the embedded index, fed through the inbound side that the buses use."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.citations.v1.citations_pb2 import Citation, Citations
from contracts.directory.v1.directory_pb2 import Unit
from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.topology import CITATIONS, DIRECTORY, LEGISLATION_CITATIONS, UNITS
from contracts.units import pack_units
from kernel.access.principal import Principal
from kernel.bus.inbound import Inbound
from kernel.bus.markers import subscriptions
from kernel.bus.port import Delivery
from kernel.clock import FixedClock
from kernel.ids import new_id
from kernel.messages import Message
from services.legislation.app import Legislation
from services.legislation.documents.intake import ImportReport, SourceFile
from services.legislation.documents.rules import Collection, Kind
from services.legislation.tables import SPINE
from services.legislation.worker import LegislationWorker
from tests.support.stores import built, postgresql_runtime, sqlite_runtime

NOON = datetime(2026, 3, 5, 4, tzinfo=UTC)  # noon in Shanghai
CLERK = Principal(account="clerk", unit="150102", unit_path="/15/1501/150102/", roles=frozenset({"reporter"}))
PROVINCE = Principal(account="boss", unit="15", unit_path="/15/", roles=frozenset({"reviewer"}))


def a_text(
    title: str, *articles: str, promulgated: str = "2020年1月2日 中华人民共和国国务院令第700号公布"
) -> bytes:
    lines = [f"# {title}", promulgated, "<!-- INFO END -->", *articles]
    return "\n\n".join(lines).encode()


class Desk:
    """Legislation with doors for files and messages."""

    def __init__(self, app: Legislation, clock: FixedClock) -> None:
        self.app = app
        self.clock = clock
        self.worker = LegislationWorker(app)
        self._doors = {
            subscription.queue.name: Inbound(app.store, subscription, getattr(self.worker, name))
            for name, subscription in subscriptions(self.worker)
        }

    def files(
        self, *files: tuple[str, bytes], kind: Kind | None = Kind.ADMINISTRATIVE_REGULATION
    ) -> ImportReport:
        sources = [SourceFile(name, raw) for name, raw in files]
        collection = Collection(kind=kind) if kind else None
        return self.app.intake.import_files(PROVINCE, sources, collection=collection)

    def file(self, name: str, *articles: str, **more: str) -> str:
        """Import one text named "title(date).md"; returns the outcome or the code of the refusal."""
        raw = a_text(name.split("(", maxsplit=1)[0], *articles, **more)
        outcome = self.files((name, raw)).files[0]
        return outcome.code or outcome.outcome

    def cite(self, *citations: Citation, redelivered: bool = False) -> None:
        body = Citations(citations=citations).SerializeToString(deterministic=True)
        message = Message(id=new_id(), source="enforcement", name=CITATIONS, body=body)
        self._doors[LEGISLATION_CITATIONS.name].take([Delivery(message, redelivered)])

    def units(self, *units: Unit) -> None:
        messages = [
            Message(id=new_id(), source="gateway", name=UNITS, body=body) for body in pack_units(units)
        ]
        self._doors[DIRECTORY["legislation"].name].take([Delivery(message, False) for message in messages])

    def told(self) -> list[ScoredEvent]:
        """Every scored event in the outbox, oldest first."""
        with self.app.store.reading() as session:
            bodies: Sequence[bytes] = session.scalars(
                SPINE.outbox.select().with_only_columns(SPINE.outbox.c.body).order_by(SPINE.outbox.c.pos)
            ).all()
        return [event for body in bodies for event in ScoredEvents.FromString(body).events]


def a_citation(
    document: str, article: str, *, unit: str = "150102", on: str = "2026-03-01", version: str = ""
) -> Citation:
    return Citation(
        id=new_id(),
        source="enforcement",
        subject=f"enforcement/cases/{new_id()}",
        unit=unit,
        document=document,
        version=version,
        article=article,
        cited_on=on,
    )


def a_unit(code: str, path: str, name: str = "某某区人民政府") -> Unit:
    return Unit(code=code, name=name, path=path, region_code=code[:6], version=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A migrated, empty legislation."""
    clock = FixedClock(NOON)
    if request.param == "sqlite":
        runtime = sqlite_runtime(tmp_path, clock)
    else:
        runtime = postgresql_runtime(tmp_path, request.getfixturevalue("postgresql_url"), clock)
    yield Desk(built(runtime, "services.legislation"), clock)
    runtime.close()
