"""Evidence of normative documents: who reads what was handed in, and who adds files 文件材料."""

from sqlalchemy.orm import Session

from contracts.findings.papers import Papers
from kernel.access.principal import Principal
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store
from services.legislation.drafting.service import reached, subject_of
from services.legislation.tables import EVIDENCE

MATERIALS = {
    "text": "文件正文",
    "explanation": "起草说明",
    "comments": "征求意见材料",
    "review_opinion": "合法性审核意见",
    "deliberation": "集体审议材料",
    "filing": "备案材料",
    "other": "其他材料",
}


def papers(store: Store, blobs: Blobs) -> Papers:
    """The evidence of normative documents; whoever may change an entry may add to it."""
    kind = subject_of("").removesuffix("/")
    return Papers(store, blobs, EVIDENCE, kind=kind, sees=_sees, adds=_adds, titles=MATERIALS)


def _sees(session: Session, who: Principal, subject: str) -> bool:
    reached(session, who, subject)
    return True


def _adds(session: Session, who: Principal, subject: str) -> None:
    reached(session, who, subject)
