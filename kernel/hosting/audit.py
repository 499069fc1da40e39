"""HTTP of the audit record: the same two routes at every service, for whoever audits."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from sqlalchemy import Table

from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.storage.audit_read import MAX_ROWS, Asked, AuditLine, AuditRecords, AuditSeal
from kernel.storage.work import Store

_Word = Annotated[str, Query(max_length=200)]
_Moment = Annotated[AwareDatetime | None, Query()]


def audit_router(store: Store, units: Table, role: str) -> APIRouter:
    """The audit record of one service, for holders of one role."""
    router = APIRouter(tags=["audit"])
    records = AuditRecords(store, units)

    @router.get("/audit")
    @allow(role)
    def acts(
        who: Caller,
        before: Annotated[int, Query(ge=0)] = 0,
        action: _Word = "",
        actor: _Word = "",
        object_: Annotated[str, Query(alias="object", max_length=200)] = "",
        result: Literal["", "done", "denied"] = "",
        since: _Moment = None,
        until: _Moment = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    ) -> list[AuditLine]:
        asked = Asked(
            before=before,
            action=action.strip(),
            actor=actor.strip(),
            object=object_.strip(),
            result=result,
            since=since,
            until=until,
        )
        return records.page(who, asked, limit)

    @router.get("/audit/seal")
    @allow(role)
    def seal() -> AuditSeal:
        return records.seal()

    return router
