"""
The audit record 审计记录 of the gateway, as the audit administrator 审计管理员 reads it (R36, R50).

Who signed in, who was refused, what was granted, which clues were turned away. Nobody can change it; reading it is
an act on record too.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from kernel.access.principal import Principal
from kernel.storage.work import Store

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act."""

    seq: int
    at: datetime
    actor: str
    actor_unit: str
    roles: str
    on_behalf_of: str
    address: str
    action: str
    object: str
    object_version: str
    result: str
    reason_code: str
    request: str


class AuditRecords:
    """Reads the audit table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, who: Principal, *, before: int, action: str, actor: str, limit: int) -> list[AuditLine]:
        """Acts before a sequence number (0: the newest), newest first; by beginning of the action, by actor."""
        table = self._store.spine.audit
        wanted = select(table).order_by(table.c.seq.desc()).limit(min(limit, MAX_ROWS))
        if before:
            wanted = wanted.where(table.c.seq < before)
        if action:
            wanted = wanted.where(table.c.action.startswith(action, autoescape=True))
        if actor:
            wanted = wanted.where(table.c.actor == actor)
        with self._store.work() as work:
            rows = work.session.execute(wanted).fetchall()
            work.audit(who, "audit.read", f"audit/{before}")
            work.commit()
        return [AuditLine(**{name: getattr(row, name) for name in AuditLine.__slots__}) for row in rows]
