"""
The two sides of a reconciliation, each read in windows: what a source's outbox told, what the event log has.

The numbers of both rise with time, so the place to begin at is found by halving; no index on times is needed.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from google.protobuf.message import DecodeError
from sqlalchemy import Column, Row, func, select
from sqlalchemy.orm import Session

from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from contracts.topology import ASSESSMENT_SCORED, SCORED
from kernel.clock import from_microseconds
from kernel.storage.work import Store
from services.assessment.scoring.model import EVENT_LOG

# By how much a row may be written before or after the times in it: long transactions, clocks of two machines.
SKEW = timedelta(hours=1)
MESSAGES, EVENTS = 100, 5000
RESENT = "resent"


def told_messages(
    source: Store, since: datetime, until: datetime | None, *, resent: bool = False
) -> Iterator[Sequence[Row[Any]]]:
    """Windows of the outbox's scored messages that may hold events recorded from `since` to `until`."""
    outbox = source.spine.outbox
    with source.reading() as session:
        last = _first_since(session, outbox.c.pos, outbox.c.created_at, since - SKEW) - 1
    query = (
        select(
            outbox.c.pos, outbox.c.id, outbox.c.body, outbox.c.headers, outbox.c.created_at, outbox.c.sent_at
        )
        .where(outbox.c.name == SCORED, outbox.c.created_at >= since - SKEW)
        .order_by(outbox.c.pos)
        .limit(MESSAGES)
    )
    if until is not None:
        query = query.where(outbox.c.created_at <= until + SKEW)
    while True:
        with source.reading() as session:
            rows: Sequence[Any] = session.execute(query.where(outbox.c.pos > last)).fetchall()
        if not rows:
            return
        yield rows if resent else [row for row in rows if not is_resent(row)]
        last = rows[-1].pos


def logged_events(
    log: Store, source: str, since: datetime, until: datetime
) -> Iterator[tuple[str, datetime]]:
    """(event id, recorded at) of what the log has from a source; its numbers have no gaps, so they are windows."""
    seq = EVENT_LOG.c.seq
    with log.reading() as session:
        last = _first_since(session, seq, EVENT_LOG.c.received_at, since - SKEW) - 1
        end = session.execute(select(func.max(seq))).scalar_one() or 0
    query = select(EVENT_LOG.c.event_id, EVENT_LOG.c.recorded_at).where(
        EVENT_LOG.c.source == source, EVENT_LOG.c.recorded_at >= since, EVENT_LOG.c.recorded_at < until
    )
    while last < end:
        with log.reading() as session:
            rows = session.execute(query.where(seq > last, seq <= last + EVENTS)).fetchall()
        yield from ((str(row.event_id), row.recorded_at) for row in rows)
        last += EVENTS


def _first_since(session: Session, place: Column[Any], time: Column[Any], since: datetime) -> int:
    """The first place whose time is not before `since`; times rise with places, but for what SKEW allows."""
    low, high = session.execute(select(func.min(place), func.max(place))).one()
    if low is None:
        return 0
    while low < high:
        middle = (low + high) // 2
        found = session.execute(select(place, time).where(place >= middle).order_by(place).limit(1)).one()
        if found[1] < since:
            low = found[0] + 1
        else:
            high = middle
    return int(low)


def present(log: Store, source: str, ids: Collection[str]) -> set[str]:
    """Which of these events of a source the log has."""
    if not ids:
        return set()
    query = select(EVENT_LOG.c.event_id).where(EVENT_LOG.c.event_id.in_(ids), EVENT_LOG.c.source == source)
    with log.reading() as session:
        return {str(event_id) for event_id in session.execute(query).scalars()}


def in_quarantine(log: Store, source: str) -> set[str]:
    """Ids of this source's events that wait in quarantine."""
    table = log.spine.quarantine
    query = select(table.c.raw).where(
        table.c.state == "held", table.c.consumer == ASSESSMENT_SCORED.name, table.c.source == source
    )
    held: set[str] = set()
    with log.reading() as session:
        for raw in session.execute(query).scalars():
            try:
                held.update(event.id for event in ScoredEvents.FromString(raw).events)
            except DecodeError:  # whatever it was, it names no event
                continue
    return held


def events_of(row: Row[Any]) -> Sequence[ScoredEvent]:
    """The events in a message of the outbox."""
    return ScoredEvents.FromString(row.body).events


def recorded_at(event: ScoredEvent) -> datetime:
    """When the source knew it, which it and the log both hold."""
    return from_microseconds(event.recorded_at_us)


def is_resent(row: Row[Any]) -> bool:
    """Whether a message repeats an earlier one."""
    return RESENT in orjson.loads(row.headers)
