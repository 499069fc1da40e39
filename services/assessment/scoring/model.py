"""
What scoring keeps: the event log, which is the record, and two projections that can be rebuilt from it.

`event_log` is written once and never changed (triggers refuse it). `seq` has no gaps and rises in the order of
commits, because `log_head` is locked until the transaction that took the numbers has ended: so "everything up
to seq n" is a complete and repeatable statement, which the ledger and every projection stand on.
"""

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from kernel.storage.types import BigInt, Id, Moment
from services.assessment.tables import Base

EVENT_LOG = Table(
    "event_log",
    Base.metadata,
    Column("seq", BigInt, primary_key=True, autoincrement=False),
    Column("event_id", Id, nullable=False),
    Column("source", String(50), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("period", String(7), nullable=False, comment="month of occurred_at in Asia/Shanghai"),
    Column("probe", String(130), nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("score_milli", Integer, nullable=False),
    Column("numerator", BigInt, nullable=False),
    Column("denominator", BigInt, nullable=False),
    Column("mode", Integer, nullable=False, comment="how the facts came: it bounds credibility"),
    Column("corrects", Id),
    Column("occurred_at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column(
        "leaf", Text, nullable=False, comment="canonical JSON (RFC 8785), the exact bytes that are hashed"
    ),
    Column("leaf_hash", String(64), nullable=False, comment="SHA-256 of 0x00 and the leaf, RFC 6962"),
    comment="scored events, written once",
)
Index("uq_event_log_event", EVENT_LOG.c.event_id, EVENT_LOG.c.source, unique=True)
Index("ix_event_log_state", EVENT_LOG.c.unit, EVENT_LOG.c.probe, EVENT_LOG.c.period)
_failures = text("outcome = 2")
Index(
    "ix_event_log_failed",
    EVENT_LOG.c.unit,
    EVENT_LOG.c.probe,
    EVENT_LOG.c.period,
    EVENT_LOG.c.seq,
    postgresql_where=_failures,
    sqlite_where=_failures,
)
_corrections = text("corrects IS NOT NULL")
Index("ix_event_log_corrects", EVENT_LOG.c.corrects, postgresql_where=_corrections, sqlite_where=_corrections)

LOG_HEAD = Table(
    "log_head",
    Base.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInt, nullable=False),
    comment="one row: how many events the log has; its lock is the sequencer",
)

PROBE_STATES = Table(
    "probe_states",
    Base.metadata,
    Column("unit", String(100), primary_key=True),
    Column("period", String(7), primary_key=True),
    Column("probe", String(130), primary_key=True),
    *(
        Column(name, BigInt, nullable=False)
        for name in (
            "passed",
            "failed",
            "graded_milli",
            "not_applicable",
            "not_computable",
            "not_due",
            "numerator",
            "denominator",
            "reported",
            "entered",
            "real_time",
            "external",
        )
    ),
    Column("events", BigInt, nullable=False, comment="all there are in the log, corrected ones too"),
    Column("first_seq", BigInt, nullable=False, comment="of its first event"),
    Column("last_seq", BigInt, nullable=False, comment="of its last event"),
    Column(
        "changed_seq", BigInt, nullable=False, comment="no later event changed it: its own, or a correction"
    ),
    comment="tally of the standing findings of a unit, month and probe; rebuilt from the log",
)

UNIT_SCORES = Table(
    "unit_scores",
    Base.metadata,
    Column("framework", String(100), primary_key=True, comment="id@version"),
    Column("year", String(4), primary_key=True),
    Column("unit", String(100), primary_key=True),
    Column("peer_group", String(50), nullable=False),
    Column("score", BigInt, comment="micro-points of 100; NULL where nothing could be computed"),
    Column("coverage", BigInt, nullable=False, comment="millionths"),
    Column("vetoes", Integer, nullable=False),
    Column("applicable", BigInt, nullable=False),
    Column("earned", BigInt, nullable=False),
    Column("aspects", Text, nullable=False, comment="[[code, score in micro-points or null], ...]"),
    Column("modes", Text, nullable=False, comment="[reported, entered, real time, external] in millionths"),
    Column("findings", BigInt, nullable=False, comment="standing findings that were tallied"),
    Column("at_seq", BigInt, nullable=False),
    Column("known_at", Moment, nullable=False),
    comment="what a unit's score is now; rebuilt from probe_states",
)
Index(
    "ix_unit_scores_group",
    UNIT_SCORES.c.framework,
    UNIT_SCORES.c.year,
    UNIT_SCORES.c.peer_group,
    UNIT_SCORES.c.score,
)
Index("ix_unit_scores_seq", UNIT_SCORES.c.at_seq)

ROLLED_UP = Table(
    "rolled_up",
    Base.metadata,
    Column("framework", String(100), primary_key=True),
    Column("seq", BigInt, nullable=False),
    comment="up to which event unit_scores of a framework are right",
)

# An event stands unless another of the same source corrects it; of several corrections of one event the last
# recorded stands. A pure function of the set of events, so the order of arrival does not matter (R13).
_STANDING = """
    NOT EXISTS (SELECT 1 FROM event_log c
                WHERE c.corrects = e.event_id AND c.source = e.source AND c.event_id <> e.event_id{known_c})
    AND (e.corrects IS NULL OR NOT EXISTS (
                SELECT 1 FROM event_log s WHERE s.corrects = e.corrects AND s.source = e.source{known_s}
                AND (s.recorded_at > e.recorded_at
                     OR (s.recorded_at = e.recorded_at AND s.event_id > e.event_id))))
"""
STANDING = _STANDING.format(known_c="", known_s="")
# As of an event number: what came later is not known, neither as a finding nor as a correction.
STANDING_AT = "e.seq <= :at_seq AND " + _STANDING.format(
    known_c=" AND c.seq <= :at_seq", known_s=" AND s.seq <= :at_seq"
)

TALLIES = """
    count(*) FILTER (WHERE e.outcome = 1) AS passed,
    count(*) FILTER (WHERE e.outcome = 2) AS failed,
    coalesce(sum(e.score_milli) FILTER (WHERE e.outcome <= 2), 0) AS graded_milli,
    count(*) FILTER (WHERE e.outcome = 3) AS not_applicable,
    count(*) FILTER (WHERE e.outcome = 4) AS not_computable,
    count(*) FILTER (WHERE e.outcome = 5) AS not_due,
    coalesce(sum(e.numerator) FILTER (WHERE e.outcome <= 2), 0) AS numerator,
    coalesce(sum(e.denominator) FILTER (WHERE e.outcome <= 2), 0) AS denominator,
    count(*) FILTER (WHERE e.outcome <= 2 AND e.mode = 1) AS reported,
    count(*) FILTER (WHERE e.outcome <= 2 AND e.mode = 2) AS entered,
    count(*) FILTER (WHERE e.outcome <= 2 AND e.mode = 3) AS real_time,
    count(*) FILTER (WHERE e.outcome <= 2 AND e.mode = 4) AS external
"""
