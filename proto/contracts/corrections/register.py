"""
Register of corrections asked 待更正登记: what one service was told to correct, from the notice to its own event.

A service adds `CorrectionsAsked` to its metadata, hands it to its findings register, and hears its CORRECTIONS queue.
What is asked waits until the findings register tells an event in place of the named one: that closes it, in the same
transaction. Nothing is corrected here, for only the people of the service know what is right. Next: reading.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    select,
    text,
    update,
)
from sqlalchemy import func as sql

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from kernel.clock import from_microseconds
from kernel.errors import Unacceptable
from kernel.messages import Item
from kernel.storage.setwise import write_rows
from kernel.storage.types import Id, Moment
from kernel.storage.work import Store, Work
from kernel.telemetry import metrics

_OPEN = text("corrected_at IS NULL")


class UnknownEvent(Unacceptable):
    """A correction is asked of an event that this service never told."""

    code = "contracts.unknown_event"
    message = "本服务没有发出过通知所指的计分事件，请核对来源数据后放行。"


class CorrectionsAsked:
    """The register of one service, kept in its own database beside its register of findings."""

    def __init__(self, metadata: MetaData) -> None:
        self.table = Table(
            "corrections_asked",
            metadata,
            Column("id", Id, primary_key=True),
            Column("objection", Id, nullable=False),
            Column("event_id", Id, nullable=False, comment="the event to be corrected"),
            Column("unit", String(100), nullable=False),
            Column("probe", String(130), nullable=False),
            Column("subject", String(200), nullable=False),
            Column("outcome", Integer, nullable=False),
            Column("score_milli", Integer, nullable=False),
            Column("reason", Text, nullable=False),
            Column("due_at", Moment, nullable=False),
            Column("asked_at", Moment, nullable=False),
            Column("correction", Id, comment="the event told in its place"),
            Column("corrected_at", Moment),
            comment="corrections asked 更正通知: upheld objections against what this service told",
        )
        Index("ix_corrections_asked_unit", self.table.c.unit, self.table.c.asked_at)
        Index(
            "ix_corrections_asked_open",
            self.table.c.due_at,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        )

    def hear(self, work: Work, items: Sequence[Item], findings: Table) -> None:
        """
        Keep what is addressed to this service; closed at once where another event already stands for the named one.

        Raises UnknownEvent when this service never told anything of that subject and probe.
        """
        rows = []
        for item in items:
            asked = item.value
            assert isinstance(asked, CorrectionAsked)
            if asked.service == work.source:
                rows.append(_row(asked) | _standing(work, asked, findings))
        write_rows(work.session, self.table, rows, keys=("id",), on_conflict="nothing")

    def close(self, work: Work, corrected: Mapping[str, str], at: datetime) -> None:
        """Close what waits for these events (event -> the event told in its place), in the transaction of `work`."""
        columns = self.table.c
        waiting = work.session.execute(select(columns.id, columns.event_id).where(_OPEN)).all()
        for row in waiting:
            if correction := corrected.get(str(row.event_id)):
                closed = update(self.table).where(columns.id == row.id)
                work.session.execute(closed.values(correction=correction, corrected_at=at))

    def measure(self, store: Store) -> None:
        """Gauges: how many wait, how many past their due time, and since when the oldest."""
        now, columns = store.clock.now(), self.table.c
        late = sql.count().filter(columns.due_at <= now)
        with store.reading() as session:
            waiting, overdue, oldest = session.execute(
                select(sql.count(), late, sql.min(columns.asked_at)).where(_OPEN)
            ).one()
        age = (now - oldest).total_seconds() if oldest else 0.0
        metrics.MATTERS_RUNNING.labels(store.source, "correction").set(waiting)
        metrics.MATTERS_OVERDUE.labels(store.source, "correction").set(overdue)
        metrics.MATTERS_OLDEST_SECONDS.labels(store.source, "correction").set(age)


def create_corrections_v1(connection: Connection) -> None:
    """The register's table as of its first version, for migrations."""
    metadata = MetaData()
    CorrectionsAsked(metadata)
    metadata.create_all(connection, checkfirst=True)


def _row(asked: CorrectionAsked) -> dict[str, Any]:
    return {
        "id": asked.id,
        "objection": asked.objection,
        "event_id": asked.event,
        "unit": asked.unit,
        "probe": asked.probe,
        "subject": asked.subject,
        "outcome": int(asked.outcome),
        "score_milli": asked.score_milli,
        "reason": asked.reason,
        "due_at": from_microseconds(asked.due_at_us),
        "asked_at": from_microseconds(asked.occurred_at_us),
    }


def _standing(work: Work, asked: CorrectionAsked, findings: Table) -> dict[str, Any]:
    """Whether the event still stands; locked, so that a correction under way is either seen or sees this row."""
    place = and_(findings.c.subject == asked.subject, findings.c.probe == asked.probe)
    wanted = select(findings.c.event_id, findings.c.recorded_at).where(place).with_for_update()
    told = work.session.execute(wanted).one_or_none()
    if told is None:
        raise UnknownEvent()
    if str(told.event_id) == asked.event:
        return {"correction": None, "corrected_at": None}
    return {"correction": str(told.event_id), "corrected_at": told.recorded_at}
