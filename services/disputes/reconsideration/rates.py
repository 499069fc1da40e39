"""
Rates 统计指标: numerator, denominator and formula of each, over the cases a caller may see.

The formulas are data (catalog/rates/disputes.yaml); a rate is never shown without both numbers, and the cases
behind either can be listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from kernel.access.principal import Principal
from kernel.catalog import read
from kernel.errors import NotFound, Problem
from kernel.storage.work import Store
from services.disputes.reconsideration.model import CaseRow
from services.disputes.reconsideration.register import visible

DAYS = {
    "received_on": CaseRow.received_on,
    "decided_on": CaseRow.decided_on,
    "effective_on": CaseRow.effective_on,
}
CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "received": CaseRow.received_on.is_not(None),
    "accepted": CaseRow.accepted_on.is_not(None),
    "decided": CaseRow.decided_on.is_not(None),
    "in_time": CaseRow.in_time.is_(True),
    "settled": or_(CaseRow.outcome == "RF12", and_(CaseRow.outcome == "RF13", CaseRow.settled.is_(True))),
}
LIST_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate as the catalog defines it."""

    id: str
    title: str
    formula: str
    day: str
    denominator: ColumnElement[bool]
    numerator: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate with its two numbers; `rate_milli` is None where nothing is counted."""

    rate: Rate
    numerator: int
    denominator: int

    @property
    def rate_milli(self) -> int | None:
        """Thousandths, rounded half up."""
        if self.denominator == 0:
            return None
        return (2000 * self.numerator + self.denominator) // (2 * self.denominator)


def load_rates(catalog: Path) -> tuple[Rate, ...]:
    """The rates of the catalog; raises CatalogInvalid with file and line."""
    file = read(catalog / "rates" / "disputes.yaml")
    found, problems = [], []
    for place, row in enumerate(file.data["rates"]):
        try:
            found.append(
                Rate(
                    row["id"],
                    row["title"],
                    row["formula"],
                    row["day"] if row["day"] in DAYS else _refuse(row["day"]),
                    _condition(row["denominator"]),
                    _condition(row["numerator"]),
                )
            )
        except (KeyError, TypeError) as wrong:
            problems.append(Problem(f"rates[{place}]", "disputes.rate", f"指标定义有误：{wrong!r}，请核对。"))
    if problems:
        raise file.located(problems)
    return tuple(found)


class Rates:
    """Answers questions about rates."""

    def __init__(self, store: Store, rates: tuple[Rate, ...]) -> None:
        self._store = store
        self._rates = rates

    def figures(
        self, who: Principal, *, since: date, until: date, organ: str = "", respondent: str = ""
    ) -> list[Figure]:
        """Every rate over cases whose day lies from `since` to `until`, both included; one statement each."""
        found = []
        with self._store.reading() as session:
            for rate in self._rates:
                cases = self._cases(who, rate, since, until, organ, respondent).subquery()
                counted = select(func.count(), func.coalesce(func.sum(cases.c.in_numerator), 0)).select_from(
                    cases
                )
                denominator, numerator = session.execute(counted).one()
                found.append(Figure(rate, int(numerator), int(denominator)))
        return found

    def cases(
        self, who: Principal, rate_id: str, *, since: date, until: date, organ: str = "", respondent: str = "",
        only_numerator: bool = True, offset: int = 0,
    ) -> list[tuple[str, str]]:  # fmt: skip
        """The (id, number) of cases behind a rate; raises NotFound for an unknown rate."""
        rate = next((rate for rate in self._rates if rate.id == rate_id), None)
        if rate is None:
            raise NotFound("没有这个统计指标，请核对名称。", code="disputes.unknown_rate")
        query = self._cases(who, rate, since, until, organ, respondent)
        if only_numerator:
            query = query.where(rate.numerator)
        with self._store.reading() as session:
            rows = session.execute(
                query.order_by(CaseRow.number, CaseRow.id).offset(offset).limit(LIST_LIMIT)
            )
            return [(str(row.id), row.number) for row in rows]

    def _cases(
        self, who: Principal, rate: Rate, since: date, until: date, organ: str, respondent: str
    ) -> Any:
        inside = case((rate.numerator, 1), else_=0).label("in_numerator")
        query = visible(who, select(CaseRow.id, CaseRow.number, inside)).where(
            rate.denominator, DAYS[rate.day].between(since, until)
        )
        if organ:
            query = query.where(CaseRow.organ == organ)
        if respondent:
            query = query.where(CaseRow.respondent == respondent)
        return query


def _condition(said: Mapping[str, Any]) -> ColumnElement[bool]:
    parts = [
        CaseRow.outcome.in_(value) if name == "outcomes" else CONDITIONS[name] for name, value in said.items()
    ]
    return and_(*parts)


def _refuse(day: object) -> str:
    raise KeyError(day)
