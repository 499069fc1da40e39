"""
Verdicts of checks of the audit log 审计核验结果: kept as acts in the log itself, so that nobody can take one back.

Who ran the check, when, how many records it read, their root and what it found; the page of the audit record shows
the newest, and a process that seals raises the alarm for as long as that one found faults. The check: audit_check.py.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.storage.spine import Spine
from kernel.storage.work import Store, Work

ACTION = "audit.verified"


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a check found: `faults` in the first `size` records, whose root (hex) it was; `first` is the first's kind."""

    verified_at: datetime
    verified_by: str
    size: int
    root: str
    faults: int
    first: str


def keep_verdict(store: Store, who: Principal, *, size: int, root: str, faults: int, first: str = "") -> None:
    """Put on record what a check found. Raises what any act raises that cannot be recorded."""

    def keep(work: Work) -> None:
        work.audit(
            who,
            ACTION,
            f"audit/{size}",
            object_version=str(faults),
            after_digest=root,
            reason_code=first,
        )

    store.transact(keep)


def last_verdict(session: Session, spine: Spine) -> AuditVerdict | None:
    """What the last check found; None before the first."""
    table = spine.audit
    query = select(table).where(table.c.action == ACTION).order_by(table.c.seq.desc()).limit(1)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    return AuditVerdict(
        verified_at=row.at,
        verified_by=row.on_behalf_of or row.actor,
        size=int(row.object.removeprefix("audit/")),
        root=row.after_digest,
        faults=int(row.object_version),
        first=row.reason_code,
    )
