"""
Warnings 预警: each is written once with what it saw, and opens or joins an order by rule (R36: an inspector confirms).

`raise_all` is the one door: the watch uses it for lines, trends and findings, and whoever keeps due dates of tasks
and reports uses it for what is overdue (`Raised(kind="overdue", ...)`), in the transaction that noticed.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import func, select

from kernel.access.principal import SYSTEM, Principal
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.ranking.known import end_of
from services.assessment.reach import within
from services.assessment.rectification.dues import Dues
from services.assessment.rectification.opening import open_orders
from services.assessment.rectification.places import names_of
from services.assessment.rectification.rules import DUE_CLOCKS, PROPOSED, Opening
from services.assessment.warnings.model import WARNINGS
from services.assessment.warnings.rules import Raised, WarningRules

MOST_ROWS = 200


class Warnings:
    """The warnings of one installation."""

    def __init__(self, store: Store, rules: WarningRules, dues: Dues) -> None:
        self._store = store
        self._rules = rules
        self._dues = dues

    def raise_all(self, work: Work, raised: Sequence[Raised]) -> int:
        """Write those that are new and open or join their orders; the caller commits. Returns how many were new."""
        by_id = {_id_of(one): one for one in raised}
        known = work.session.execute(select(WARNINGS.c.id).where(WARNINGS.c.id.in_(by_id))).scalars()
        for warning in known:
            del by_id[warning]
        gravest_first = sorted(by_id.items(), key=lambda item: item[1].gravity)
        opening = {warning: self._opening(one) for warning, one in gravest_first if self._opens(one)}
        opened = open_orders(
            work,
            list(opening.values()),
            SYSTEM,
            state=PROPOSED,
            due_at=self._dues.due(DUE_CLOCKS[PROPOSED], work.clock.now()),
            relapse_days=self._rules.relapse_days,
        )
        orders = {warning: one.order for warning, one in zip(opening, opened, strict=True)}
        write_rows(
            work.session,
            WARNINGS,
            [
                {
                    "id": warning,
                    "kind": one.kind,
                    "unit": one.unit,
                    "node": one.node,
                    "framework": one.framework,
                    "year": one.year,
                    "at_seq": one.at_seq,
                    "title": one.title[:200],
                    "seen": orjson.dumps(one.seen, option=orjson.OPT_SORT_KEYS).decode(),
                    "raised_at": work.clock.now(),
                    "order_id": orders.get(warning),
                }
                for warning, one in by_id.items()
            ],
            keys=("id",),
            on_conflict="nothing",
        )
        return len(by_id)

    def page(
        self,
        who: Principal,
        *,
        kind: str = "",
        unit: str = "",
        order: str = "",
        offset: int = 0,
        limit: int = 50,
        as_of: date | None = None,
    ) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
        """Warnings in the caller's area, newest first: total, one page, names of units; those raised until a day, or all."""
        conditions = [within(who, WARNINGS.c.unit)]
        at = end_of(self._store.clock, as_of)
        if at is not None:
            conditions.append(WARNINGS.c.raised_at <= at)
        for column, wanted in (
            (WARNINGS.c.kind, kind),
            (WARNINGS.c.unit, unit),
            (WARNINGS.c.order_id, order),
        ):
            if wanted:
                conditions.append(column == wanted)
        query = select(WARNINGS).where(*conditions).order_by(WARNINGS.c.raised_at.desc(), WARNINGS.c.id)
        with self._store.reading() as session:
            total = session.execute(
                select(func.count()).select_from(WARNINGS).where(*conditions)
            ).scalar_one()
            rows = session.execute(query.offset(offset).limit(min(limit, MOST_ROWS))).mappings().all()
            names = names_of(session, [row["unit"] for row in rows])
        return total, [dict(row) for row in rows], names

    def _opens(self, one: Raised) -> bool:
        """By rule; not about what is in reconsideration or in court (行政执法监督条例 Art. 33)."""
        supervised = not one.subjects or any(self._rules.is_supervised(subject) for subject in one.subjects)
        return self._rules.opens_order[one.cause] and supervised

    def _opening(self, one: Raised) -> Opening:
        return Opening(
            unit=one.unit,
            node=one.node,
            title=one.title,
            reason=one.reason,
            proof=self._rules.proof[one.kind],
        )


def _id_of(one: Raised) -> str:
    return derived_id(
        "warning", one.kind, one.framework, one.year, one.unit, one.node, one.title, str(one.at_seq)
    )
