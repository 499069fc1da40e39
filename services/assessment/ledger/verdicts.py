"""Verdicts of verifications 验证结果, kept so that a page and an alarm can tell when the ledger was last held good."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from kernel.storage.work import Store, Work
from services.assessment.ledger.findings import Report
from services.assessment.ledger.model import LEDGER_VERIFICATIONS


@dataclass(frozen=True, slots=True)
class Verdict:
    """When the log was last verified, up to where, and how many faults were found."""

    verified_at: datetime
    size: int
    faults: int


def keep_verdict(store: Store, report: Report) -> None:
    """Record what a verification found."""
    first = report.faults[0] if report.faults else None
    row = {
        "verified_at": store.clock.now(),
        "size": report.events,
        "faults": report.fault_count,
        "first_fault": f"{first.first}-{first.last} {first.message}" if first else "",
    }

    def keep(work: Work) -> None:
        work.session.execute(insert(LEDGER_VERIFICATIONS).values(row))

    store.transact(keep)


def last_verdict(session: Session, at: datetime | None = None) -> Verdict | None:
    """What the last recorded verification (until a moment) found."""
    columns = LEDGER_VERIFICATIONS.c
    query = (
        select(columns.verified_at, columns.size, columns.faults)
        .order_by(columns.verified_at.desc())
        .limit(1)
    )
    if at is not None:
        query = query.where(columns.verified_at <= at)
    row = session.execute(query).one_or_none()
    return None if row is None else Verdict(*row)
