"""
Unit of work: business rows, facts told to others and the audit record, in one transaction (R1, R50).

`Store` is what a service keeps its things in; `store.work()` opens one transaction. Nothing is written
unless `commit()` is called. `store.transact(act)` repeats the whole act on deadlock or lost connection,
with the ids the act was given, because a commit lost in transit is unknown, not failed (R16).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import insert
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from kernel.access.keyring import KeyFile, Ring
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import Clock
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.messages import MAX_BODY_BYTES
from kernel.storage import audit_log, keys
from kernel.storage.db import Database
from kernel.storage.keys import KeyedRequest
from kernel.storage.spine import Spine
from kernel.storage.types import time_text
from kernel.telemetry.log import trace_id

T = TypeVar("T")
RETRIES = 3
# The keys by which a service signs what it tells, looked for at the first need; None: it does not sign.
SourceKeys = Callable[[], KeyFile | Ring | None]


def no_keys() -> None:
    """A service that does not sign."""


@dataclass(slots=True)
class Work:
    """One open transaction."""

    session: Session
    source: str
    spine: Spine
    clock: Clock
    _outgoing: list[dict[str, Any]] = field(default_factory=list)
    _recorded: list[audit_log.Leaf] = field(default_factory=list)
    told: bool = False
    keyed: KeyedRequest | None = None
    source_keys: SourceKeys = no_keys

    @property
    def connection(self) -> Connection:
        """The connection of this transaction, for set-wise statements."""
        return self.session.connection()

    def tell(
        self,
        name: str,
        body: bytes,
        *,
        message_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        aggregate: str | None = None,
        aggregate_version: int | None = None,
    ) -> None:
        """
        Queue a fact for the others; it is stored with this transaction and sent after it.

        Raises ValueError for a body larger than the bus carries: better here than in a relay that can never
        get past it.
        """
        if len(body) > MAX_BODY_BYTES:
            raise ValueError(f"{name} of {len(body)} bytes is more than the bus carries")
        carried = dict(headers or {})
        if trace := trace_id.get():
            carried.setdefault("trace", trace)
        told_at = self.clock.now()
        carried.setdefault("told", time_text(told_at))
        self._outgoing.append(
            {
                "id": message_id or new_id(),
                "name": name,
                "body": body,
                "headers": orjson.dumps(carried).decode(),
                "aggregate": aggregate,
                "aggregate_version": aggregate_version,
                "created_at": told_at,
            }
        )

    def audit(
        self,
        principal: Principal,
        action: str,
        subject: str,
        *,
        result: str = "done",
        object_version: str = "",
        before_digest: str = "",
        after_digest: str = "",
        reason_code: str = "",
    ) -> None:
        """Record who did what; it commits or vanishes together with the act."""
        record = {
            "id": new_id(),
            "at": self.clock.now(),
            "actor": principal.account,
            "actor_unit": principal.unit,
            "roles": ",".join(sorted(principal.roles)),
            "on_behalf_of": principal.on_behalf_of,
            "session": principal.session,
            "address": principal.address,
            "action": action,
            "object": subject,
            "object_version": object_version,
            "before_digest": before_digest,
            "after_digest": after_digest,
            "result": result,
            "reason_code": reason_code,
            "request": principal.request,
        }
        self.session.execute(insert(self.spine.audit).values(record))
        self._recorded.append(audit_log.leaf_of(record))

    def flush(self) -> None:
        """Write everything queued, without making it true yet."""
        self.session.flush()
        if self._outgoing:
            self.session.execute(insert(self.spine.outbox), self._outgoing)
            self._outgoing.clear()
            self.told = True

    def commit(self) -> None:
        """Make it all true."""
        self.flush()
        if self._recorded:  # last, because all who write records wait from here to the commit
            audit_log.append(self.session, self.spine, self._recorded)
            self._recorded.clear()
        self.session.commit()
        if self.keyed is not None:
            self.keyed.is_taken = True


@dataclass(frozen=True, slots=True)
class AuditIdentity:
    """As whom a service signs its audit log: the log's name, and the private key where there is one."""

    origin: str
    key: Path | None = None


class Store:
    """What one service keeps its things in."""

    def __init__(
        self,
        database: Database,
        spine: Spine,
        source: str,
        clock: Clock,
        *,
        outbox_days: int = 90,
        audit: AuditIdentity | None = None,
        source_keys: SourceKeys = no_keys,
    ) -> None:
        self.database = database
        self.spine = spine
        self.source = source
        self.clock = clock
        self.outbox_days = outbox_days
        self.audit = audit or AuditIdentity(f"fazhi.local/audit/{source}")
        self.source_keys = source_keys
        self.wake_relay: Callable[[], None] = _nobody_waits

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with self.database.reading() as session:
            yield session

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One transaction; rolled back unless committed."""
        with self.database.writing() as session:
            work = Work(session, self.source, self.spine, self.clock, source_keys=self.source_keys)
            if (keyed := keys.current.get()) is not None and not keyed.is_taken:
                keys.take(session, self.spine.idempotency, keyed, self.clock.now())
                work.keyed = keyed
            yield work
        if work.told:
            self.wake_relay()

    def record_denial(self, principal: Principal, action: str, subject: str, code: str) -> None:
        """Record a refused attempt, in a transaction of its own, which takes no key: nothing was done (R50)."""
        keys.current.set(None)
        with self.work() as work:
            work.audit(principal, action[:100], subject[:200], result="denied", reason_code=code)
            work.commit()

    def adopt_strays(self) -> int:
        """Take audit records without a leaf into the audit log, and say on record how many."""
        adopted = 0
        while some := self.transact(self._adopt_some):
            adopted += some
        return adopted

    def _adopt_some(self, work: Work) -> int:
        some = audit_log.adopt(work.session, self.spine)
        if some:
            work.audit(SYSTEM, "audit.adopted", f"audit/{some}")
        return some

    def transact(self, act: Callable[[Work], T]) -> T:
        """Run `act` in a transaction and commit; repeat it when the database stumbled."""
        for attempt in range(RETRIES):
            try:
                with self.work() as work:
                    result = act(work)
                    work.commit()
                return result
            except Unavailable:
                if attempt == RETRIES - 1:
                    raise
                time.sleep(0.1 * 4**attempt)
        raise AssertionError("unreachable")


def _nobody_waits() -> None:
    """The relay of another process polls; there is nobody to wake."""
