"""
Reconciliation 对账: what a source told of scored events against what the event log of assessment has of it (R6).

Per hour of recorded time both sides are counted and the digests of their event ids are combined; only hours that
differ are looked at event by event. A re-send is a new outbox row that says the same: the ids in it are the same,
so the inbox takes what was lost and passes over the rest. Nothing already written is changed.

Reading two services' databases is composition's right alone; the services still know nothing of one another.
Both sides are read in windows (told_and_logged.py), one short transaction each, so memory and locks do not grow
with the history.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import Table, select, tuple_

from contracts.findings.signing import signed_again
from contracts.topology import ASSESSMENT_SCORED, SCORED
from fazhi.told_and_logged import (
    RESENT,
    events_of,
    in_quarantine,
    is_resent,
    logged_events,
    present,
    recorded_at,
    told_messages,
)
from kernel.access.principal import Principal
from kernel.storage.work import Store

T = TypeVar("T")
SOURCES = tuple(source for source, name in ASSESSMENT_SCORED.keys if name == SCORED)
# What was recorded last may still be on its way; it is compared in the next run.
GRACE = timedelta(minutes=10)
HOUR = timedelta(hours=1)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
IDS = 1000


@dataclass(slots=True)
class Tally:
    """How many events, and the digests of their ids combined so that order does not matter."""

    count: int = 0
    digest: int = 0

    def add(self, event_id: str) -> None:
        """Count one event."""
        self.count += 1
        self.digest ^= int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Hour:
    """
    An hour of one source in which the two sides differ, or that is not over because facts of it are unsent.

    `missing` were told and are not in the log, `held` of the told are in quarantine, `unknown` are in the log
    and were never told.
    """

    source: str
    at: datetime
    told: int
    logged: int
    missing: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    waiting: bool = False


@dataclass(slots=True)
class _Told:
    tallies: dict[datetime, Tally] = field(default_factory=dict)
    waiting: set[datetime] = field(default_factory=set)


def compared_from(source: Store, asked: datetime) -> datetime:
    """From when on told facts are surely kept: what is older may have been dropped on one side only."""
    if source.database.dialect == "sqlite":
        return hour_of(asked)
    kept = source.clock.now() - timedelta(days=source.outbox_days)
    return max(hour_of(asked), hour_of(kept) + HOUR)


def reconcile(source: Store, log: Store, since: datetime) -> Iterator[Hour]:
    """The hours since a moment, oldest first, in which the log does not have exactly what this source told."""
    since, until = compared_from(source, since), log.clock.now() - GRACE
    told = _count_told(source, since, until)
    logged: dict[datetime, Tally] = {}
    for event_id, known_at in logged_events(log, source.source, since, until):
        logged.setdefault(hour_of(known_at), Tally()).add(event_id)
    for at in sorted(told.tallies.keys() | logged.keys() | told.waiting):
        ours, theirs = told.tallies.get(at, Tally()), logged.get(at, Tally())
        if at in told.waiting:
            yield Hour(source.source, at, ours.count, theirs.count, waiting=True)
        elif ours != theirs:
            hour = _look_closely(source, log, at, min(at + HOUR, until))
            if hour.missing or hour.held or hour.unknown:  # else the rest has arrived meanwhile
                yield hour


def resend(source: Store, hour: Hour) -> int:
    """
    Tell the missing events of an hour again, in the messages they were in; returns how many messages.

    They are signed anew: what was refused because its key is revoked or it was not signed has to come through.
    """
    wanted = set(hour.missing)
    told = 0
    for rows in told_messages(source, hour.at, hour.at + HOUR):
        again = [row for row in rows if wanted.intersection(event.id for event in events_of(row))]
        if not again:
            continue
        with source.work() as work:
            for row in again:
                work.tell(SCORED, signed_again(work, row.body), headers={RESENT: str(row.id)})
            subject = f"scored_events/{hour.at:%Y-%m-%dT%H}"
            work.audit(Principal(account="operator"), "scored_events.resent", subject)
            work.commit()
        told += len(again)
    return told


def lost_findings(source: Store, log: Store, findings: Table) -> Iterator[str]:
    """
    Ids of findings in force, told too long ago for their message to be kept, that the log does not have.

    They cannot be sent again; the subject has to be looked at again by its service.
    """
    place = (findings.c.subject, findings.c.probe)
    before = compared_from(source, EVER)
    last = ("", "")
    while True:
        query = select(*place, findings.c.event_id, findings.c.recorded_at).where(tuple_(*place) > last)
        with source.reading() as session:
            rows = session.execute(query.order_by(*place).limit(IDS)).fetchall()
        if not rows:
            return
        old = [str(row.event_id) for row in rows if row.recorded_at < before]
        known = present(log, source.source, old)
        yield from (event_id for event_id in old if event_id not in known)
        last = (rows[-1].subject, rows[-1].probe)


def hour_of(at: datetime) -> datetime:
    """The moment the hour of a moment began."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _look_closely(source: Store, log: Store, at: datetime, until: datetime) -> Hour:
    told: set[str] = set()
    absent: list[str] = []
    ids = (
        event.id
        for rows in told_messages(source, at, until)
        for row in rows
        for event in events_of(row)
        if at <= recorded_at(event) < until
    )
    for chunk in _chunks(ids, IDS):
        told.update(chunk)
        known = present(log, source.source, chunk)
        absent += [event_id for event_id in chunk if event_id not in known]
    held = in_quarantine(log, source.source) if absent else set()
    logged = [event_id for event_id, _ in logged_events(log, source.source, at, until)]
    return Hour(
        source.source,
        at,
        told=len(told),
        logged=len(logged),
        missing=tuple(event_id for event_id in absent if event_id not in held),
        held=tuple(event_id for event_id in absent if event_id in held),
        unknown=tuple(event_id for event_id in logged if event_id not in told),
    )


def _count_told(source: Store, since: datetime, until: datetime) -> _Told:
    told = _Told()
    for rows in told_messages(source, since, None, resent=True):
        for row in rows:
            again = is_resent(row)
            for event in events_of(row):
                known_at = recorded_at(event)
                if not since <= known_at < until:
                    continue
                if row.sent_at is None:
                    told.waiting.add(hour_of(known_at))
                elif not again:
                    told.tallies.setdefault(hour_of(known_at), Tally()).add(event.id)
    return told


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
