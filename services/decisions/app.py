"""Builds decisions: settings in, a wired service out."""

from dataclasses import dataclass

from kernel.calendar import WorkingCalendar, load_years
from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from services.decisions.conformance.service import Conformance
from services.decisions.conformance.template import load_templates
from services.decisions.procedures.intake import Intake
from services.decisions.procedures.register import Register
from services.decisions.procedures.service import Procedures
from services.decisions.tables import SPINE

PACKAGE = "services.decisions"


@dataclass(frozen=True, slots=True)
class Decisions:
    """The service's use cases."""

    store: Store
    conformance: Conformance
    procedures: Procedures
    intake: Intake
    register: Register


def build(runtime: Runtime) -> Decisions:
    """Wire the service."""
    store = runtime.store("decisions", SPINE)
    calendar = WorkingCalendar(load_years(runtime.catalog / "calendars"))
    conformance = Conformance(load_templates(runtime.catalog / "templates"), calendar)
    return Decisions(
        store,
        conformance,
        Procedures(store, conformance),
        Intake(store, conformance),
        Register(store, conformance),
    )
