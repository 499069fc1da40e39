"""HTTP of the directory 单位目录: lists for everybody signed in, changes by the system administrator 系统管理员."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from contracts.roles import EVERYONE_SIGNED_IN, SYSTEM_ADMIN
from gateway.directory.query import MAX_ROWS, DirectoryQuery, UnitPage, UnitVersion
from gateway.directory.rules import UnitState
from gateway.directory.service import Directory, UnknownUnit
from kernel.access.rules import allow
from kernel.hosting.api import Caller
from kernel.hosting.validation import Body


class NewUnit(Body):
    """A unit to be entered."""

    code: str
    name: str
    kind: int
    level: int
    parent: str
    region_code: str
    valid_from: str
    credit_code: str = ""
    field: str = ""
    reason: str = Field(min_length=1, max_length=500)


class Revision(Body):
    """What changes in a unit; absent fields stay as they are."""

    name: str | None = None
    parent: str | None = None
    credit_code: str | None = None
    field: str | None = None
    valid_to: str | None = None
    successor: str | None = None
    reason: str = Field(min_length=1, max_length=500)


def router(directory: Directory, query: DirectoryQuery) -> APIRouter:
    """Routes under /units."""
    router = APIRouter(prefix="/units", tags=["units"])

    @router.get("")
    @allow(*EVERYONE_SIGNED_IN)
    def units(
        who: Caller,
        parent: Annotated[str, Query(max_length=100)] = "",
        query_text: Annotated[str, Query(alias="query", max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> UnitPage:
        return query.find(who, parent=parent, query=query_text, limit=limit, offset=offset)

    @router.get("/{code}/versions")
    @allow(*EVERYONE_SIGNED_IN)
    def versions(code: str, who: Caller) -> list[UnitVersion]:
        return query.history(who, code)

    @router.post("", status_code=201)
    @allow(SYSTEM_ADMIN)
    def register(unit: NewUnit, who: Caller) -> dict[str, str]:
        _demand_reach(directory, who, unit.parent)
        directory.register(who, UnitState(**unit.model_dump(exclude={"reason"})), reason=unit.reason)
        return {"code": unit.code}

    @router.post("/{code}/versions", status_code=201)
    @allow(SYSTEM_ADMIN)
    def revise(code: str, revision: Revision, who: Caller) -> dict[str, Any]:
        changes = revision.model_dump(exclude={"reason"}, exclude_none=True)
        if "parent" in changes:
            _demand_reach(directory, who, changes["parent"])
        touched = directory.revise(who, code, changes, reason=revision.reason)
        return {"code": code, "units_changed": touched}

    return router


def _demand_reach(directory: Directory, who: Caller, parent: str) -> None:
    """Raise UnknownUnit, in the same words for a superior unit out of reach and for one that never was."""
    try:
        is_reached = bool(parent) and who.reaches(directory.path_of(parent))
    except UnknownUnit:
        is_reached = False
    if not is_reached:
        raise UnknownUnit("没有这个上级单位，或不在本账号管理范围内，请核对上级单位代码。")
