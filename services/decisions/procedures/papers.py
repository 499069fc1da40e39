"""Evidence of decisions: who reads what was handed in, and who adds files 材料."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings.papers import Papers
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.ids import is_id
from kernel.storage.blobs import Blobs
from kernel.storage.reach import beyond
from kernel.storage.work import Store
from services.decisions.procedures.log import subject_of
from services.decisions.procedures.model import ProcedureRow
from services.decisions.procedures.register import visible
from services.decisions.procedures.rules.materials import TITLES
from services.decisions.tables import EVIDENCE


def papers(store: Store, blobs: Blobs) -> Papers:
    """The evidence of decisions."""
    kind = subject_of("").removesuffix("/")
    return Papers(store, blobs, EVIDENCE, kind=kind, sees=_sees, adds=_adds, titles=TITLES)


def _sees(session: Session, who: Principal, subject: str) -> bool:
    query = visible(who).where(ProcedureRow.id == subject)
    if not is_id(subject) or session.scalars(query).one_or_none() is None:
        raise _unknown()
    return True


def _adds(session: Session, who: Principal, subject: str) -> None:
    """Who may record steps: the deciding government and what is below it, the lead, and the reviewing department."""
    query = select(ProcedureRow.unit, ProcedureRow.lead, ProcedureRow.reviewer).where(
        ProcedureRow.id == subject
    )
    with beyond("units below the deciding government hand in what they did", session):
        row = session.execute(query).one_or_none() if is_id(subject) else None
    if row is None or (who.unit not in row and f"/{row.unit}/" not in who.unit_path):
        raise _unknown()


def _unknown() -> NotFound:
    return NotFound("找不到这项决策，请核对编号。", code="decisions.unknown_decision")
