"""Builds disputes: settings in, a wired service out."""

from dataclasses import dataclass

from contracts.corrections.reading import Corrections
from contracts.findings.papers import Papers
from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from services.disputes.matters.service import Matters
from services.disputes.reconsideration.codes import load_clocks, load_codes
from services.disputes.reconsideration.intake import Intake
from services.disputes.reconsideration.papers import papers
from services.disputes.reconsideration.rates import Rates, load_rates
from services.disputes.reconsideration.register import Register
from services.disputes.reconsideration.service import Cases
from services.disputes.tables import CORRECTIONS, SPINE, UNITS

PACKAGE = "services.disputes"


@dataclass(frozen=True, slots=True)
class Disputes:
    """The service's use cases."""

    store: Store
    corrections: Corrections
    cases: Cases
    intake: Intake
    register: Register
    rates: Rates
    matters: Matters
    papers: Papers


def build(runtime: Runtime) -> Disputes:
    """Wire the service."""
    store, blobs = runtime.store("disputes", SPINE), runtime.blobs("disputes")
    codes = load_codes(runtime.catalog)
    clocks = load_clocks(runtime.catalog, codes)
    cases = Cases(store, clocks, codes, blobs)
    return Disputes(
        store,
        Corrections(store, CORRECTIONS, UNITS),
        cases,
        Intake(store, clocks, codes, blobs),
        Register(store, clocks, codes),
        Rates(store, load_rates(runtime.catalog)),
        Matters(store, cases, codes),
        papers(store, blobs),
    )
