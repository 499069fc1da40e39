"""
Register: reading cases, within the caller's place in the tree.

The reviewing organ, whoever is above it, and the respondent see a case; only the organ sees who applied. Anything
else does not exist for the caller.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from contracts.findings import Finding
from kernel.access.principal import Principal
from kernel.clock import local_date, start_of_day
from kernel.errors import Invalid, NotFound, Problem
from kernel.ids import is_id
from kernel.storage.work import Store
from services.disputes.reconsideration.codes import Codes
from services.disputes.reconsideration.log import Recorded, case_of, read_deadlines, read_logs
from services.disputes.reconsideration.model import CaseRow
from services.disputes.reconsideration.rules.case import Case
from services.disputes.reconsideration.rules.deadlines import Clocks, Due, running
from services.disputes.reconsideration.rules.probes import PROBES, Seen, day_of
from services.disputes.tables import UNITS

SORTS: dict[str, ColumnElement[Any]] = {
    "due_on": CaseRow.due_on.asc().nulls_last(),
    "received_on": CaseRow.received_on.desc().nulls_last(),
    "decided_on": CaseRow.decided_on.desc().nulls_last(),
    "number": CaseRow.number.asc(),
}
_Q = Any


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, the names of their units, and how many there are in all."""

    total: int
    rows: list[CaseRow]
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class OneCase:
    """A case with its log, clocks and findings as of today."""

    row: CaseRow
    log: list[Recorded]
    case: Case
    kept: dict[str, Due]
    open_dues: list[Due]
    findings: list[Finding]
    names: dict[str, str]
    shows_applicant: bool


class Register:
    """Answers questions about cases."""

    def __init__(self, store: Store, clocks: Clocks, codes: Codes) -> None:
        self._store = store
        self.clocks = clocks
        self.codes = codes

    def page(
        self, who: Principal, *, organ: str = "", respondent: str = "", state: str = "", outcome: str = "",
        sort: str = "due_on", offset: int = 0, limit: int = 50,
    ) -> Page:  # fmt: skip
        """A page of the cases the caller may see; raises Invalid for an unknown sort name."""
        if sort not in SORTS:
            raise Invalid(
                problems=[Problem("sort", "disputes.unknown_sort", f"可用的排序：{'、'.join(SORTS)}。")]
            )
        query = visible(who, select(CaseRow))
        wanted = (
            (CaseRow.organ, organ),
            (CaseRow.respondent, respondent),
            (CaseRow.state, state),
            (CaseRow.outcome, outcome),
        )
        for column, value in wanted:
            if value:
                query = query.where(column == value)
        with self._store.reading() as session:
            total = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            rows = list(session.scalars(query.order_by(SORTS[sort], CaseRow.id).offset(offset).limit(limit)))
            names = unit_names(session, {code for row in rows for code in (row.organ, row.respondent)})
        return Page(total, rows, names)

    def one(self, who: Principal, case_id: str) -> OneCase:
        """One case; raises NotFound for foreign ones too."""
        with self._store.reading() as session:
            query = visible(who, select(CaseRow)).where(CaseRow.id == case_id)
            row = session.scalars(query).one_or_none() if is_id(case_id) else None
            if row is None:
                raise NotFound("找不到这件复议案件，请核对编号。", code="disputes.unknown_case")
            log = read_logs(session, [row.id]).get(row.id, [])
            kept = read_deadlines(session, [row.id]).get(row.id, {})
            names = unit_names(session, {row.organ, row.respondent})
        case = case_of(log)
        kept = self.clocks.standing(case, kept)
        today = local_date(self._store.clock.now())
        seen = Seen(case, kept, self.codes.outcomes, today)
        findings = (
            [probe.look(seen, start_of_day(day_of(probe.name, seen))) for probe in PROBES]
            if row.received_on
            else []
        )
        return OneCase(row, log, case, kept, running(case, kept), findings, names, who.unit == row.organ)


def visible(who: Principal, query: _Q) -> _Q:
    """The query, narrowed to cases whose organ or respondent lies in the caller's part of the tree."""
    if not who.unit_path:
        return query.where(false())
    organ, respondent = aliased(UNITS.table), aliased(UNITS.table)
    inside = [
        func.substr(unit.c.path, 1, len(who.unit_path)) == who.unit_path for unit in (organ, respondent)
    ]
    joined: Select[Any] = query.outerjoin(organ, organ.c.code == CaseRow.organ).outerjoin(
        respondent, respondent.c.code == CaseRow.respondent
    )
    return joined.where(or_(*inside))


def unit_names(session: Session, codes: set[str]) -> dict[str, str]:
    """Names of these units, by code."""
    query = select(UNITS.table.c.code, UNITS.table.c.name).where(UNITS.table.c.code.in_(codes - {""}))
    return {row.code: row.name for row in session.execute(query)}
