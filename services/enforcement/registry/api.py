"""HTTP of the registers: paged lists for staff, and the public certificate check 亮证."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from contracts.roles import BUSINESS
from kernel.access.rules import allow, public
from kernel.hosting.api import Caller
from services.enforcement.registry.service import MOST_ROWS, Registry

Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Text = Annotated[str, Query(max_length=100)]


class BodyView(BaseModel):
    """Enforcement body 执法主体."""

    unit: str
    name: str
    credit_code: str
    kind: str
    principal: str
    field: str
    region_code: str
    confirmed_on: date | None
    valid_from: date
    valid_to: date | None
    mode: str


class CertificateView(BaseModel):
    """Enforcement certificate 执法证."""

    number: str
    issuer: str
    kind: str
    field: str
    valid_from: date
    valid_to: date
    status: str
    status_on: date | None


class OfficerView(BaseModel):
    """Officer 执法人员."""

    code: str
    name: str
    unit: str
    kind: str
    certificates: list[CertificateView]


class PowerView(BaseModel):
    """Power item 权责清单事项."""

    unit: str
    code: str
    name: str
    kind: str
    field: str
    document: str
    article: str
    review: str


class CertificateCheck(BaseModel):
    """What the public may know of a shown certificate."""

    number: str
    name: str
    unit: str
    valid: bool
    reason: str
    valid_from: date
    valid_to: date


class Bodies(BaseModel):
    """One page of bodies."""

    total: int
    rows: list[BodyView]


class Officers(BaseModel):
    """One page of officers."""

    total: int
    rows: list[OfficerView]


class Powers(BaseModel):
    """One page of power items."""

    total: int
    rows: list[PowerView]


def router(registry: Registry) -> APIRouter:
    """Routes of the registers."""
    router = APIRouter(tags=["registry"])

    @router.get("/bodies", response_model=Bodies)
    @allow(*BUSINESS)
    def bodies(who: Caller, kind: Text = "", query: Text = "", offset: Offset = 0, limit: Limit = 50) -> Any:
        total, rows = registry.bodies(who, kind=kind, query=query, offset=offset, limit=limit)
        return {"total": total, "rows": rows}

    @router.get("/officers", response_model=Officers)
    @allow(*BUSINESS)
    def officers(
        who: Caller, unit: Text = "", query: Text = "", offset: Offset = 0, limit: Limit = 50
    ) -> Any:
        total, rows = registry.officers(who, unit=unit, query=query, offset=offset, limit=limit)
        return {"total": total, "rows": rows}

    @router.get("/powers", response_model=Powers)
    @allow(*BUSINESS)
    def powers(who: Caller, unit: Text = "", kind: Text = "", offset: Offset = 0, limit: Limit = 50) -> Any:
        total, rows = registry.powers(who, unit=unit, kind=kind, offset=offset, limit=limit)
        return {"total": total, "rows": rows}

    @router.get("/certificates/{number}", response_model=CertificateCheck)
    @public
    def certificate(number: str, issuer: Text = "") -> Any:
        return registry.check_certificate(number[:64], issuer)

    return router
