"""
Evidence of reconsideration cases: who reads what was handed in, and who adds files 案卷材料.

Records say nothing of the applicant and are for whoever sees the case. Files may name persons: like the applicant's
name in the register, they are for the reviewing organ only.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings.papers import Papers
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store
from services.disputes.reconsideration.log import subject_of
from services.disputes.reconsideration.model import CaseRow
from services.disputes.reconsideration.register import visible
from services.disputes.tables import EVIDENCE

MATERIALS = {
    "application": "行政复议申请书",
    "answer": "被申请人答复书",
    "act_evidence": "行政行为的证据、依据和材料",
    "hearing_record": "听证笔录",
    "committee_opinion": "行政复议委员会咨询意见",
    "decision": "行政复议决定书",
    "service_receipt": "送达回证",
    "performance": "履行情况材料",
    "other": "其他材料",
}


def papers(store: Store, blobs: Blobs) -> Papers:
    """The evidence of cases."""
    kind = subject_of("").removesuffix("/")
    return Papers(store, blobs, EVIDENCE, kind=kind, sees=_sees, adds=_adds, titles=MATERIALS)


def _sees(session: Session, who: Principal, subject: str) -> bool:
    query = visible(who, select(CaseRow.organ)).where(CaseRow.id == subject)
    organ = session.scalars(query).one_or_none() if is_id(subject) else None
    if organ is None:
        raise _unknown()
    return bool(organ == who.unit)


def _adds(session: Session, who: Principal, subject: str) -> None:
    """The organ that deals with the case, and the respondent, who hands in his answer and evidence (Art. 48)."""
    query = select(CaseRow.organ, CaseRow.respondent).where(CaseRow.id == subject)
    row = session.execute(query).one_or_none() if is_id(subject) else None
    if row is None or who.unit not in row:
        raise _unknown()


def _unknown() -> NotFound:
    return NotFound("找不到这件复议案件，请核对编号。", code="disputes.unknown_case")
