"""HTTP of detection: look for signs, read drafts, decide on them; inspectors and auditors only."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from contracts.roles import AUDIT_ADMIN, INSPECTOR
from kernel.access.rules import allow
from kernel.clock import SHANGHAI
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body
from services.assessment.detection.rules import KINDS
from services.assessment.detection.service import Copying, Detection, KeptDraft
from services.assessment.ranking.api import Day

Year = Annotated[str, Query(pattern=r"^20[0-9]{2}$")]


class DecisionBody(Body):
    """What a person makes of a draft."""

    decision: Literal["confirmed", "dismissed"]
    reason: Annotated[str, Field(min_length=2, max_length=500)]


def router(detection: Detection) -> APIRouter:
    """Signs that figures were made for the score."""
    router = APIRouter(prefix="/detection", tags=["detection"])

    @router.post("/runs", status_code=201)
    @allow(INSPECTOR)
    def look(who: Caller, period: Year) -> dict[str, int]:
        """Look for signs now; they are looked for every night as well."""
        return {"new": detection.look(period, who)}

    @router.get("/drafts")
    @allow(INSPECTOR, AUDIT_ADMIN)
    def drafts(
        who: Caller,
        period: Year,
        kind: Annotated[str, Query(pattern="^(|gap|bunching|backdating|copied|reopened)$")] = "",
        as_of: Day = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Drafts about units of the caller's area, those not decided first; and how the detector did on planted truths."""
        found = detection.found(who, period, kind=kind, offset=offset, limit=limit, day=as_of)
        counted = {name: (number, waiting) for name, number, waiting in found.kinds}
        none = (0, 0)
        return {
            "total": found.total,
            "kinds": [
                {
                    "kind": name,
                    "title": title,
                    "total": counted.get(name, none)[0],
                    "waiting": counted.get(name, none)[1],
                }
                for name, title in KINDS.items()
            ],
            "rows": [_view(draft, found.copying) for draft in found.rows],
            "trial": detection.trial,
        }

    @router.post("/drafts/{draft}/decision", status_code=204)
    @allow(INSPECTOR)
    def decide(draft: str, body: DecisionBody, who: Caller) -> None:
        """Confirm or dismiss a draft, with the reason."""
        detection.decide(who, draft, body.decision, body.reason)

    return router


def _view(draft: KeptDraft, copying: Copying) -> dict[str, Any]:
    others = draft.seen.get("units", ())
    return {
        "id": draft.id,
        "kind": draft.kind,
        "kind_title": KINDS[draft.kind],
        "unit": {"code": draft.unit, "name": draft.unit_name},
        "period": draft.year,
        "seen": draft.seen,
        "words": draft.words,
        "drafted_at": draft.drafted_at.astimezone(SHANGHAI).isoformat(),
        "decision": draft.decision,
        "reason": draft.reason,
        "decided_by": draft.decided_by,
        "decided_at": draft.decided_at.astimezone(SHANGHAI).isoformat() if draft.decided_at else None,
        "others": [{"code": unit, "name": copying.units.get(unit, unit)} for unit in others],
        "reports": [{"id": report, "node": node} for report, node in copying.reports.get(draft.id, ())],
    }
