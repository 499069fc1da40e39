"""Reading corrections asked 更正通知, within the caller's place in the unit tree (R35)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, false, func, select

from contracts.corrections.register import CorrectionsAsked
from contracts.units import UnitCopy
from kernel.access.principal import Principal
from kernel.storage.work import Store

MOST_ROWS = 200
WAITING, CORRECTED = "waiting", "corrected"


class Corrections:
    """Questions about what one service was asked to correct."""

    def __init__(self, store: Store, register: CorrectionsAsked, units: UnitCopy) -> None:
        self._store = store
        self._table = register.table
        self._units = units.table

    def page(
        self, who: Principal, *, state: str = "", subject: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[int, Sequence[Row[Any]]]:
        """What was asked for units in the caller's area: total and one page, what waits first and by its due time."""
        asked, units = self._table.c, self._units.c
        reached = units.path.startswith(who.unit_path, autoescape=True) if who.unit_path else false()
        conditions = [reached]
        if state:
            conditions.append(asked.corrected_at.is_(None) == (state == WAITING))
        if subject:
            conditions.append(asked.subject == subject)
        joined = self._table.join(self._units, units.code == asked.unit)
        order = (asked.corrected_at.is_not(None), asked.corrected_at.desc(), asked.due_at, asked.id)
        wanted = select(self._table, units.name).select_from(joined).where(*conditions).order_by(*order)
        with self._store.reading() as session:
            counted = select(func.count()).select_from(joined).where(*conditions)
            total = session.execute(counted).scalar_one()
            rows = session.execute(wanted.offset(offset).limit(min(limit, MOST_ROWS))).all()
        return total, rows

    def now(self) -> datetime:
        """The moment against which due times are shown."""
        return self._store.clock.now()
