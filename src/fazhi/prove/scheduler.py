"""
A scheduler under proof: the product's clock that escalates, in the product's own loop, over a clock that jumps.

It is a process of its own and may be killed at any instruction. A bug can be planted in it from outside:

- remembered_in_memory: what was escalated is remembered by the process, so a killed one escalates again;
- only_while_running: only what became due since the process started is seen, so a killed one loses some.
"""

# ruff: noqa: SLF001  (a bug is planted where the product keeps to itself)
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from fazhi.prove.clocks import ShiftedClock
from fazhi.services import build
from kernel.bus.markers import clockworks
from kernel.hosting.background import repeat
from kernel.hosting.runtime import Runtime
from kernel.ids import new_id
from kernel.settings import Settings
from kernel.storage.work import Work
from kernel.telemetry.log import configure
from services.assessment.rectification import escalation

CLOCKWORK = "escalate"


def run(url: str, folder: Path, bug: str) -> None:
    """Escalate until killed."""
    configure(level="CRITICAL", process="prove.scheduler")
    clock = ShiftedClock(folder / "clock")
    if bug:
        BUGS[bug](clock)
    service = build("assessment", Runtime(Settings(data=folder, database_url=url, database_pool=0), clock))
    worker = service.worker()
    seconds = next(every.seconds for name, every in clockworks(worker) if name == CLOCKWORK)
    repeat(CLOCKWORK, seconds, getattr(worker, CLOCKWORK), threading.Event())


def _remembered_in_memory(clock: ShiftedClock) -> None:
    del clock
    done: set[str] = set()

    def overdue(work: Work, register: escalation.Register, matter: str) -> Sequence[Row[Any]]:
        rows = [row for row in _all_overdue(work, register) if row.id not in done and matter in ("", row.id)]
        done.update(row.id for row in rows)
        return rows

    escalation._overdue = overdue
    escalation.derived_id = lambda *_parts: new_id()  # type: ignore[attr-defined]
    escalation._mark = lambda *_arguments: None


def _only_while_running(clock: ShiftedClock) -> None:
    born = clock.now()
    known = escalation._overdue

    def overdue(work: Work, register: escalation.Register, matter: str) -> Sequence[Row[Any]]:
        return [row for row in known(work, register, matter) if row.due_at >= born]

    escalation._overdue = overdue


def _all_overdue(work: Work, register: escalation.Register) -> Sequence[Row[Any]]:
    table = register.matters
    query = select(table).where(table.c.due_at <= work.clock.now(), table.c.state != "closed")
    return work.session.execute(query.order_by(table.c.id)).all()


BUGS: dict[str, Callable[[ShiftedClock], None]] = {
    "remembered_in_memory": _remembered_in_memory,
    "only_while_running": _only_while_running,
}
