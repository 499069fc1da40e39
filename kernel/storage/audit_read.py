"""
Reading the audit record 审计记录 of a service, as auditors do (R36, R50): who did what to which object, when, from where.

Nobody can change it; reading it is an act on record too. Who sits below the top of the tree reads what was done by
people of the own part; what nobody's unit stands for, such as a refused sign-in or the system's own acts, is read at
the top alone. How far the log is sealed is said beside, and what the last `fazhi audit verify` found.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, Table, bindparam, select, true
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.storage.audit_log import size_of
from kernel.storage.audit_seal import newest
from kernel.storage.audit_verdict import AuditVerdict, last_verdict
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for: the beginning of an action, a person, part of an object, a time, how it ended; empty is all."""

    before: int = 0
    action: str = ""
    actor: str = ""
    object: str = ""
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditSeal:
    """
    How far the log is sealed, and what the last check of the whole log found.

    `sealed_at` and `root` are empty before the first checkpoint, `verified` before the first check.
    """

    origin: str
    size: int
    sealed: int
    sealed_at: datetime | None
    root: str
    key_names: list[str]
    verified: AuditVerdict | None


class AuditRecords:
    """Reads the audit record; `units` has the code and the path of every unit."""

    def __init__(self, store: Store, units: Table) -> None:
        self._store = store
        self._units = units

    def page(self, who: Principal, asked: Asked, limit: int) -> list[AuditLine]:
        """Acts before a sequence number (0: the newest), newest first."""
        table = self._store.spine.audit
        with self._store.work() as work:
            conditions = [self._of_own_part(work.session, who), *self._conditions(asked)]
            wanted = select(table).where(*conditions).order_by(table.c.seq.desc())
            rows = work.session.execute(wanted.limit(min(limit, MAX_ROWS))).fetchall()
            work.audit(who, "audit.read", f"audit/{asked.before}")
            work.commit()
        return [AuditLine(**{name: getattr(row, name) for name in AuditLine.__slots__}) for row in rows]

    def seal(self) -> AuditSeal:
        """How far the log is sealed, and what the last check found."""
        with self._store.reading() as session:
            size = size_of(session, self._store.spine)
            last = newest(session, self._store.spine)
            table = self._store.spine.audit_checkpoints
            at = session.execute(select(table.c.at).order_by(table.c.size.desc()).limit(1)).scalar()
            verified = last_verdict(session, self._store.spine)
        origin = self._store.audit.origin
        if last is None:
            return AuditSeal(origin, size, 0, None, "", [], verified)
        names = [signature.name for signature in last.note.signatures]
        root = last.checkpoint.root.hex()
        return AuditSeal(origin, size, last.checkpoint.size, at, root, names, verified)

    def _conditions(self, asked: Asked) -> list[ColumnElement[bool]]:
        row: Any = self._store.spine.audit.c
        wanted = []
        if asked.before:
            wanted.append(row.seq < asked.before)
        if asked.action:
            wanted.append(row.action.startswith(asked.action, autoescape=True))
        if asked.actor:
            wanted.append(row.actor == asked.actor)
        if asked.object:
            wanted.append(row.object.contains(asked.object, autoescape=True))
        if asked.result:
            # written out, so that an index of refusals alone is known to be the right one
            wanted.append(row.result == bindparam(None, asked.result, String, literal_execute=True))
        if asked.since is not None:
            wanted.append(row.at >= asked.since)
        if asked.until is not None:
            wanted.append(row.at < asked.until)
        return wanted

    def _of_own_part(self, session: Session, who: Principal) -> ColumnElement[bool]:
        """The units by name, not by another query: so the database knows how rare their acts are."""
        if who.unit_path.count("/") == 2:  # "/15/": the top
            return true()
        within = self._units.c.path.startswith(who.unit_path or "?", autoescape=True)
        codes = session.scalars(select(self._units.c.code).where(within)).all()
        return self._store.spine.audit.c.actor_unit.in_(codes)
