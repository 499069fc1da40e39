"""Bootstrap of enforcement: a runtime in, the wired service out; nothing else builds things."""

from dataclasses import dataclass

from contracts.corrections.reading import Corrections
from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from services.enforcement.cases.rules.columns import ColumnSet
from services.enforcement.cases.service import Cases
from services.enforcement.law import Law
from services.enforcement.registry.service import Registry
from services.enforcement.supervision.service import Supervision
from services.enforcement.tables import CORRECTIONS, SPINE, UNITS

PACKAGE = "services.enforcement"


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The use cases of enforcement, and the store they work on."""

    store: Store
    corrections: Corrections
    registry: Registry
    cases: Cases
    supervision: Supervision


def build(runtime: Runtime) -> Enforcement:
    """Wire the service. Raises CatalogInvalid when a catalog file cannot be used."""
    store = runtime.store("enforcement", SPINE)
    columns = ColumnSet.load(runtime.catalog / "imports" / "enforcement_cases.yaml")
    cases = Cases(store, runtime.blobs("enforcement"), Law.load(runtime.catalog), columns)
    return Enforcement(
        store, Corrections(store, CORRECTIONS, UNITS), Registry(store), cases, Supervision(store)
    )
