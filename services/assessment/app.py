"""Bootstrap of assessment: a runtime in, a wired service out; nothing else builds things."""

from dataclasses import dataclass

from kernel.hosting.runtime import Runtime
from kernel.storage.work import Store
from services.assessment.explanation.service import Explanations
from services.assessment.framework.service import Frameworks
from services.assessment.ranking.service import Rankings
from services.assessment.scoring.rebuild import Rebuilt, rebuild
from services.assessment.scoring.roll_up import RollUp
from services.assessment.tables import SPINE

PACKAGE = "services.assessment"


@dataclass(frozen=True, slots=True)
class Assessment:
    """Assessment 考核, wired."""

    store: Store
    frameworks: Frameworks
    roll_up: RollUp
    rankings: Rankings
    explanations: Explanations

    def rebuild(self) -> Rebuilt:
        """Make every projection anew from the event log."""
        return rebuild(self.store, self.roll_up)

    def prepare(self) -> None:
        """After migration: publish the frameworks of the catalogue that are not published yet."""
        self.frameworks.publish_catalog()


def build(runtime: Runtime) -> Assessment:
    """Wire assessment into a runtime."""
    store = runtime.store("assessment", SPINE)
    frameworks = Frameworks(store, runtime.catalog)
    return Assessment(
        store=store,
        frameworks=frameworks,
        roll_up=RollUp(store, frameworks),
        rankings=Rankings(store, frameworks),
        explanations=Explanations(store, frameworks),
    )
