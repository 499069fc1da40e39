"""What disputes tells the others: scored events through the findings register, and the bases of disputed acts."""

from collections.abc import Iterator

from contracts.citations.v1.citations_pb2 import Citation
from kernel.ids import derived_id
from services.disputes.reconsideration.rules.case import Case
from services.disputes.reconsideration.rules.steps import Received

SOURCE = "disputes"


def citations(case_id: str, respondent: str, case: Case) -> Iterator[Citation]:
    """Each article the disputed act rests on, once, as cited by the organ that made the act."""
    received = case.first(Received)
    for basis in dict.fromkeys(received.basis if received else ()):
        day = (received.act_on or received.on).isoformat() if received else ""
        yield Citation(
            id=derived_id(SOURCE, case_id, basis.document, basis.version, basis.article, day),
            source=SOURCE,
            subject=f"disputes/reconsiderations/{case_id}",
            unit=respondent,
            document=basis.document,
            version=basis.version,
            article=basis.article,
            cited_on=day,
        )
