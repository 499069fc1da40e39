"""
Register: reading procedures, within the caller's place in the tree.

A government sees its own decisions, whoever is above it sees them too, and the undertaking and the reviewing
department see those they have a part in. Anything else does not exist for the caller.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Invalid, NotFound, Problem
from kernel.ids import is_id
from kernel.storage.work import Store
from services.decisions.conformance.service import Conformance, Judgement
from services.decisions.procedures.log import Recorded, procedure_of, read_logs
from services.decisions.procedures.model import ProcedureRow
from services.decisions.procedures.rules.procedure import Procedure
from services.decisions.tables import UNITS

SORTS: dict[str, ColumnElement[Any]] = {
    "decided_on": ProcedureRow.decided_on.desc().nulls_last(),
    "started_on": ProcedureRow.started_on.desc().nulls_last(),
    "score": ProcedureRow.score_milli.asc().nulls_last(),
    "number": ProcedureRow.number.asc(),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, the names of their units, and how many there are in all."""

    total: int
    rows: list[ProcedureRow]
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class OneProcedure:
    """A procedure with its log, and what the items would say of it today."""

    row: ProcedureRow
    log: list[Recorded]
    procedure: Procedure
    judgement: Judgement
    is_judged: bool  # whether its findings count yet
    names: dict[str, str]


class Register:
    """Answers questions about procedures."""

    def __init__(self, store: Store, conformance: Conformance) -> None:
        self._store = store
        self._conformance = conformance

    def page(
        self, who: Principal, *, unit: str = "", phase: str = "", band: str = "", sort: str = "decided_on",
        offset: int = 0, limit: int = 50,
    ) -> Page:  # fmt: skip
        """A page of the decisions the caller may see; raises Invalid for an unknown sort name."""
        if sort not in SORTS:
            raise Invalid(
                problems=[Problem("sort", "decisions.unknown_sort", f"可用的排序：{'、'.join(SORTS)}。")]
            )
        query = visible(who)
        for column, wanted in (
            (ProcedureRow.unit, unit),
            (ProcedureRow.phase, phase),
            (ProcedureRow.band, band),
        ):
            if wanted:
                query = query.where(column == wanted)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            ordered = query.order_by(SORTS[sort], ProcedureRow.id).offset(offset).limit(limit)
            rows = list(session.scalars(ordered))
            return Page(total, rows, _names(session, {code for row in rows for code in (row.unit, row.lead)}))

    def one(self, who: Principal, procedure_id: str) -> OneProcedure:
        """One decision with timeline and items; raises NotFound for foreign ones too."""
        with self._store.reading() as session:
            query = visible(who).where(ProcedureRow.id == procedure_id)
            row = session.scalars(query).one_or_none() if is_id(procedure_id) else None
            if row is None:
                raise NotFound("找不到这项决策，请核对编号。", code="decisions.unknown_decision")
            log = read_logs(session, [row.id]).get(row.id, [])
            procedure = procedure_of(log)
            today = local_date(self._store.clock.now())
            if row.template_id:
                template = self._conformance.pinned(session, row.template_id, row.template_version)
            else:
                template = self._conformance.in_force(today)
            judgement = self._conformance.judge(procedure, template, today)
            ready = self._conformance.is_ready(procedure, template, today)
            names = _names(session, _units_in(row, procedure))
        return OneProcedure(row, log, procedure, judgement, ready, names)


def visible(who: Principal) -> Select[ProcedureRow]:
    """The decisions the caller may see."""
    units = UNITS.table.c
    query = select(ProcedureRow).join(UNITS.table, units.code == ProcedureRow.unit, isouter=True)
    if not who.unit_path:
        return query.where(false())
    return query.where(
        or_(
            func.substr(units.path, 1, len(who.unit_path)) == who.unit_path,
            ProcedureRow.lead == who.unit,
            ProcedureRow.reviewer == who.unit,
        )
    )


def _units_in(row: ProcedureRow, procedure: Procedure) -> set[str]:
    started = procedure.started
    related = set(started.related_units) if started else set()
    undertakers = {unit.unit for unit in started.undertakers} if started else set()
    return {row.unit, row.lead, row.reviewer} | related | undertakers


def _names(session: Session, codes: set[str]) -> dict[str, str]:
    query = select(UNITS.table.c.code, UNITS.table.c.name).where(UNITS.table.c.code.in_(codes - {""}))
    return {row.code: row.name for row in session.execute(query)}
