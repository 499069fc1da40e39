"""
Supervision 监督: warnings, orders and objections wired together, as a part of app.py that can be read by itself.

`keep_up` is their one clock: look for warnings, follow corrections, escalate what is past its due time, measure.
"""

from dataclasses import dataclass

from kernel import catalog
from kernel.calendar import WorkingCalendar, load_years
from kernel.hosting.runtime import Runtime
from kernel.periods import Periods
from kernel.storage.work import Store
from kernel.telemetry import metrics
from services.assessment.framework.service import Frameworks
from services.assessment.objections.reading import ObjectionReading
from services.assessment.objections.service import Objections
from services.assessment.ranking.service import Rankings
from services.assessment.rectification.dues import Dues
from services.assessment.rectification.reading import OrderReading
from services.assessment.rectification.service import Orders
from services.assessment.warnings.rules import WarningRules, parse, problems
from services.assessment.warnings.service import Warnings
from services.assessment.warnings.watch import Watch


@dataclass(frozen=True, slots=True)
class Supervision:
    """The use cases of warnings, orders and objections."""

    warnings: Warnings
    watch: Watch
    orders: Orders
    order_reading: OrderReading
    objections: Objections
    objection_reading: ObjectionReading

    def escalate(self) -> int:
        """Send what is past its due time to the next level up."""
        return self.orders.escalate() + self.objections.escalate()

    def measure(self) -> None:
        """Say how much runs, how much of it is late, and how old the oldest objection is."""
        running, late = self.order_reading.waiting()
        contested, overdue, oldest_seconds = self.objection_reading.waiting()
        for kind, count, past in (("order", running, late), ("objection", contested, overdue)):
            metrics.MATTERS_RUNNING.labels("assessment", kind).set(count)
            metrics.MATTERS_OVERDUE.labels("assessment", kind).set(past)
        metrics.MATTERS_OLDEST_SECONDS.labels("assessment", "objection").set(oldest_seconds)


def wire(runtime: Runtime, store: Store, frameworks: Frameworks, rankings: Rankings) -> Supervision:
    """Wire warnings, orders and objections. Raises CatalogInvalid when a catalog file cannot be used."""
    rules = read_rules(runtime, frameworks)
    periods = Periods.load(runtime.catalog / "clocks" / "rectification.yaml")
    dues = Dues(periods, WorkingCalendar(load_years(runtime.catalog / "calendars")))
    blobs = runtime.blobs("assessment")
    warnings = Warnings(store, rules, dues)
    return Supervision(
        warnings=warnings,
        watch=Watch(store, frameworks, warnings, rules),
        orders=Orders(store, dues, blobs, relapse_days=rules.relapse_days),
        order_reading=OrderReading(store),
        objections=Objections(store, dues, blobs),
        objection_reading=ObjectionReading(store, frameworks, rankings),
    )


def read_rules(runtime: Runtime, frameworks: Frameworks) -> WarningRules:
    """The province's rules of warning. Raises CatalogInvalid with the line of each fault."""
    file = catalog.read(runtime.catalog / "assessment" / "warnings.yaml")
    if found := list(problems(file.data, frozenset(frameworks.probe_titles))):
        raise file.located(found)
    return parse(file.data)
