"""What decisions tell the others: scored events through the findings register, and the bases of drafts."""

from collections.abc import Iterator

from contracts.citations.v1.citations_pb2 import Citation
from kernel.ids import derived_id
from services.decisions.procedures.rules.procedure import Procedure
from services.decisions.procedures.rules.steps import Drafted

SOURCE = "decisions"


def citations(procedure_id: str, unit: str, procedure: Procedure) -> Iterator[Citation]:
    """Each article the drafts of a decision rest on, once; the same id however often it is told."""
    cited: dict[tuple[str, str, str], str] = {}
    for draft in procedure.all(Drafted):
        for basis in draft.basis:
            if basis.document:
                cited.setdefault((basis.document, basis.version, basis.article), draft.on.isoformat())
    for (document, version, article), day in cited.items():
        yield Citation(
            id=derived_id(SOURCE, procedure_id, document, version, article, day),
            source=SOURCE,
            subject=f"decisions/decisions/{procedure_id}",
            unit=unit,
            document=document,
            version=version,
            article=article,
            cited_on=day,
        )
