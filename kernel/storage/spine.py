"""
The spine tables every service keeps beside its own: outbox, inbox, attempts, quarantine, keys, audit.

A service adds them to its metadata with `Spine(metadata)` and to its database by calling `create_spine_v1`
in its first migration; what came later has versions of its own, the same for all services (migrations/ beside
this file). Both must describe the same tables: tests/house compares them.

On PostgreSQL the outbox is partitioned by month, so that old months go whole (R6, retention.py); a partition key
must be part of the primary key there, and no unique key without it is possible. `id` is therefore not unique in
the outbox: that a fact counts once is the inbox's promise, not this table's.
"""

from sqlalchemy import (
    DDL,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)

from kernel.storage.types import BigInt, Id, Moment, one_of

AUDITED_OBJECTS = "ix_audit_object"


class Spine:
    """The spine tables as SQLAlchemy Core tables; `partitioned` is for making them on PostgreSQL."""

    def __init__(self, metadata: MetaData, *, partitioned: bool = False) -> None:
        self.outbox = _outbox(metadata, partitioned=partitioned)
        self.inbox = _inbox(metadata)
        self.attempts = _attempts(metadata)
        self.quarantine = _quarantine(metadata)
        self.idempotency = _idempotency(metadata)
        self.audit = _audit(metadata)
        self.audit_leaves = _audit_leaves(metadata)
        self.audit_head = _audit_head(metadata)
        self.audit_checkpoints = _audit_checkpoints(metadata)

    @property
    def of_the_audit_log(self) -> list[Table]:
        """The tables of the audit log, which came with the second version of the spine."""
        return [self.audit_leaves, self.audit_head, self.audit_checkpoints]


def _outbox(metadata: MetaData, *, partitioned: bool) -> Table:
    outbox = Table(
        "outbox",
        metadata,
        Column("pos", BigInt, primary_key=True, autoincrement=True),
        Column("id", Id, nullable=False),
        Column("name", String(100), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("headers", Text, nullable=False, server_default="{}"),
        Column("aggregate", String(200)),
        Column("aggregate_version", BigInt),
        Column("created_at", Moment, nullable=False, primary_key=partitioned),
        Column("sent_at", Moment),
        comment="facts told to others, kept after sending (R1, R6)",
        postgresql_partition_by="RANGE (created_at)" if partitioned else None,
    )
    if partitioned:  # what has no month of its own yet must find a place: nothing is ever refused
        default = DDL("CREATE TABLE outbox_default PARTITION OF outbox DEFAULT")  # type: ignore[no-untyped-call]
        event.listen(outbox, "after_create", default)
    unsent = text("sent_at IS NULL")
    Index("ix_outbox_unsent", outbox.c.pos, postgresql_where=unsent, sqlite_where=unsent)
    return outbox


def _inbox(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("source", String(50), primary_key=True),
        Column("key", String(100), primary_key=True),
        Column("digest", String(64), nullable=False),
        Column("received_at", Moment, nullable=False),
        comment="facts taken, for ever: the same fact counts once (R7, R8)",
    )


def _attempts(metadata: MetaData) -> Table:
    return Table(
        "attempts",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("message_id", String(100), primary_key=True),
        Column("count", Integer, nullable=False),
        Column("last_at", Moment, nullable=False),
        comment="tries at a message taken alone, counted before handling (R11)",
    )


def _quarantine(metadata: MetaData) -> Table:
    quarantine = Table(
        "quarantine",
        metadata,
        Column("id", Id, primary_key=True),
        Column("consumer", String(100), nullable=False),
        Column("source", String(50), nullable=False),
        Column("name", String(100), nullable=False),
        Column("message_id", String(100), nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("headers", Text, nullable=False, server_default="{}"),
        Column("digest", String(64), nullable=False),
        Column("code", String(100), nullable=False),
        Column("reason", Text, nullable=False),
        Column("state", String(20), nullable=False, server_default="held"),
        Column("held_at", Moment, nullable=False),
        Column("settled_at", Moment),
        Column("settled_by", String(100)),
        one_of("quarantine", "state", "held", "released", "refused"),
        comment="what could not be taken, with its raw bytes and why",
    )
    held = text("state = 'held'")
    Index("ix_quarantine_held", quarantine.c.held_at, postgresql_where=held, sqlite_where=held)
    Index(
        "uq_quarantine_item",
        quarantine.c.consumer,
        quarantine.c.message_id,
        quarantine.c.digest,
        unique=True,
    )
    return quarantine


def _idempotency(metadata: MetaData) -> Table:
    return Table(
        "idempotency",
        metadata,
        Column("caller", String(100), primary_key=True),
        Column("key", String(64), primary_key=True),
        Column("route", String(200), nullable=False),
        Column("request_digest", String(64), nullable=False),
        Column("status", Integer),
        Column("media_type", String(100), nullable=False, server_default=""),
        Column("answer", LargeBinary),
        Column("created_at", Moment, nullable=False),
        comment="writes over HTTP that came with a key, and their first answer (R8)",
    )


def _audit(metadata: MetaData) -> Table:
    audit = Table(
        "audit",
        metadata,
        Column("seq", BigInt, primary_key=True, autoincrement=True),
        Column("id", Id, nullable=False, unique=True),
        Column("at", Moment, nullable=False),
        Column("actor", String(100), nullable=False),
        Column("actor_unit", String(100), nullable=False, server_default=""),
        Column("roles", String(200), nullable=False, server_default=""),
        Column("on_behalf_of", String(100), nullable=False, server_default=""),
        Column("session", String(64), nullable=False, server_default=""),
        Column("address", String(64), nullable=False, server_default=""),
        Column("action", String(100), nullable=False),
        Column("object", String(200), nullable=False),
        Column("object_version", String(50), nullable=False, server_default=""),
        Column("before_digest", String(64), nullable=False, server_default=""),
        Column("after_digest", String(64), nullable=False, server_default=""),
        Column("result", String(20), nullable=False),
        Column("reason_code", String(100), nullable=False, server_default=""),
        Column("request", String(64), nullable=False, server_default=""),
        comment="who did what, written in the transaction of the act (R50, R51)",
    )
    # What auditors look for and what is rare among millions; objects have an index on PostgreSQL (below).
    Index("ix_audit_actor", audit.c.actor, audit.c.seq)
    Index("ix_audit_unit", audit.c.actor_unit, audit.c.seq)
    Index("ix_audit_action", audit.c.action, postgresql_ops={"action": "text_pattern_ops"})
    Index("ix_audit_at", audit.c.at)
    denied = text("result = 'denied'")
    Index("ix_audit_denied", audit.c.seq, postgresql_where=denied, sqlite_where=denied)
    return audit


def _audit_leaves(metadata: MetaData) -> Table:
    return Table(
        "audit_leaves",
        metadata,
        Column("number", BigInt, primary_key=True, autoincrement=False),
        Column("id", Id, nullable=False, unique=True),
        Column("leaf_hash", String(64), nullable=False),
        comment="audit records in the order of their commits, without gaps, with their hashes (R51)",
    )


def _audit_head(metadata: MetaData) -> Table:
    audit_head = Table(
        "audit_head",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("size", BigInt, nullable=False),
        comment="one row: how many leaves the audit log has; its lock is the sequencer",
    )
    first = DDL("INSERT INTO audit_head (id, size) VALUES (1, 0)")  # type: ignore[no-untyped-call]
    event.listen(audit_head, "after_create", first)
    return audit_head


def _audit_checkpoints(metadata: MetaData) -> Table:
    return Table(
        "audit_checkpoints",
        metadata,
        Column("size", BigInt, primary_key=True, autoincrement=False),
        Column("note", Text, nullable=False),
        Column("at", Moment, nullable=False),
        comment="what the audit log was, signed (C2SP tlog-checkpoint)",
    )


def index_audited_objects_v1(connection: Connection) -> bool:
    """
    On PostgreSQL, the index by which any part of an object's name is found; again if need be. False: it cannot be made.

    It rests on the extension pg_trgm, which comes with PostgreSQL; where a server has it not, or does not let us
    create it, every record is looked at instead.
    """
    if connection.dialect.name != "postgresql":
        return True
    may = (
        "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') OR "
        "(EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') "
        "AND has_database_privilege(current_database(), 'CREATE'))"
    )
    if not connection.execute(text(may)).scalar():
        return False
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    # What is new waits in a list that every search reads, and that somebody's act empties when it is full: short.
    connection.execute(
        text(
            f"CREATE INDEX IF NOT EXISTS {AUDITED_OBJECTS} ON audit USING gin (object gin_trgm_ops) "
            "WITH (gin_pending_list_limit = 1024)"
        )
    )
    return True


def guard_statements(dialect: str, table: str) -> list[str]:
    """SQL that makes a table append-only: UPDATE, DELETE and TRUNCATE are refused (R51)."""
    message = f"{table} is append-only"
    if dialect == "sqlite":
        return [
            (
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            for verb in ("update", "delete")
        ]
    return [
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        ),
        (
            f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        ),
        (
            f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        ),
    ]
