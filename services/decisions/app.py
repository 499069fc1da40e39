"""Builds decisions: settings in, a wired service out."""

from dataclasses import dataclass

from contracts.corrections.reading import Corrections
from contracts.findings.papers import Papers
from kernel.calendar import WorkingCalendar, load_years
from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from services.decisions.conformance.service import Conformance
from services.decisions.conformance.template import load_templates
from services.decisions.procedures.intake import Intake
from services.decisions.procedures.papers import papers
from services.decisions.procedures.register import Register
from services.decisions.procedures.service import Procedures
from services.decisions.tables import CORRECTIONS, SPINE, UNITS

PACKAGE = "services.decisions"


@dataclass(frozen=True, slots=True)
class Decisions:
    """The service's use cases."""

    store: Store
    corrections: Corrections
    conformance: Conformance
    procedures: Procedures
    intake: Intake
    register: Register
    papers: Papers


def build(runtime: Runtime) -> Decisions:
    """Wire the service."""
    store, blobs = runtime.store("decisions", SPINE), runtime.blobs("decisions")
    calendar = WorkingCalendar(load_years(runtime.catalog / "calendars"))
    conformance = Conformance(load_templates(runtime.catalog / "templates"), calendar)
    return Decisions(
        store,
        Corrections(store, CORRECTIONS, UNITS),
        conformance,
        Procedures(store, conformance, blobs),
        Intake(store, conformance, blobs),
        Register(store, conformance),
        papers(store, blobs),
    )
