"""Alarms 告警 of the ledger: what must never be, kept for ever; the log goes on only under another origin."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.telemetry.log import logger
from services.assessment.ledger.model import LEDGER_ALARMS

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """
    What was found, by which witness ("" by ourselves), at which size.

    `ahead`: a witness knows a larger tree than we have, so ours is an old copy (F31). `forked`: a witness does not
    accept our tree as the continuation of what it saw. `went_back`: a witness has forgotten what it cosigned (F30).
    `damaged`: the log or its tiles are not what they were.
    """

    witness: str
    kind: str
    size: int
    detail: str


def raise_alarm(store: Store, origin: str, alarm: Alarm) -> None:
    """Keep an alarm and say it; the same one is kept once."""
    log.error("ledger_alarm", witness=alarm.witness, kind=alarm.kind, size=alarm.size, detail=alarm.detail)

    def keep(work: Work) -> None:
        row = {"origin": origin, "witness": alarm.witness, "kind": alarm.kind, "size": alarm.size}
        row |= {"detail": alarm.detail, "raised_at": store.clock.now()}
        write_rows(
            work.session,
            LEDGER_ALARMS,
            [row],
            keys=("origin", "witness", "kind", "size"),
            on_conflict="nothing",
        )

    store.transact(keep)


def alarms(session: Session, origin: str, at: datetime | None = None) -> list[Alarm]:
    """The alarms of a log (until a moment), the oldest first."""
    query = select(LEDGER_ALARMS).where(LEDGER_ALARMS.c.origin == origin).order_by(LEDGER_ALARMS.c.raised_at)
    if at is not None:
        query = query.where(LEDGER_ALARMS.c.raised_at <= at)
    return [Alarm(row.witness, row.kind, row.size, row.detail) for row in session.execute(query)]


def is_contradicted(session: Session, origin: str, at: datetime | None = None) -> bool:
    """Whether a witness knows another log than this one, or did at a moment."""
    return any(alarm.kind in ("ahead", "forked") for alarm in alarms(session, origin, at))
