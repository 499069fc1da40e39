"""
Ownership 角色分离: the tables belong to a role nobody signs in as; the service's role may only use them (R51).

PostgreSQL in production has three roles for a database: its owner, without login; one that migrates, signs in with
FAZHI_OWNER_URL and becomes the owner; and the service's. After each migration the service's role is given what it
needs and nothing else: it reads and appends to tables that a trigger guards (`guard_statements` is the one place
where that is said), changes the rest, and can neither empty, drop nor alter any, nor switch a trigger off.

Without an owner URL, and on SQLite, the service owns its tables and the triggers alone stand guard.
"""

from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from kernel.errors import Invalid
from kernel.storage.db import Database, open_database, translated_errors
from kernel.telemetry.log import logger

log = logger(__name__)

LOCK = 0x46415A4B  # apart from those of migrations, relays and upkeep
VERSIONS = "alembic_version"
_OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"


def open_as_owner(url: str, *, production: bool = False) -> Database:
    """The database at a URL, every connection acting as the role that owns it. Raises Invalid when it may not."""
    database = open_database(url, pool_size=1, production=production)
    with database.engine.connect() as connection:
        may = connection.execute(text(f"SELECT pg_has_role(current_user, ({_OWNER}), 'MEMBER')")).scalar_one()
    database.engine.dispose()
    if not may:
        raise Invalid(
            "FAZHI_OWNER_URL 中的角色不是数据库所有者角色的成员，请由数据库管理员授予（GRANT 所有者 TO 该角色）。",
            code="platform.not_the_owner",
        )

    @event.listens_for(database.engine, "connect")
    def _become_owner(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SELECT set_config('role', ({_OWNER}), false)")
        connection.autocommit = False

    return database


def grant(database: Database, role: str) -> None:
    """
    Give a service's role what it needs in this database, and take whatever else it had; safe to repeat.

    Raises Invalid when that role owns the tables, could become their owner, or is a superuser: then no grant
    would bind it.
    """
    with translated_errors(), database.writing() as session:
        connection = session.connection()
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _refuse_the_mighty(connection, role)
        guarded = set(append_only(connection))
        for statement in _statements(_Names(connection, role), guarded):
            connection.execute(text(statement))
        session.commit()
    log.info("rights_granted", role=role, append_only=sorted(guarded))


def append_only(connection: Connection) -> list[str]:
    """Names of the tables whose trigger refuses every change."""
    query = (
        "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'refuse_change' "
        "AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"
    )
    return list(connection.execute(text(query)).scalars())


def owns(connection: Connection, table: str) -> bool:
    """Whether we may do what only a table's owner may; False where there is no such table."""
    query = (
        "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:table)"
    )
    return bool(connection.execute(text(query), {"table": table}).scalar())


def warn_of_ownership(database: Database) -> None:
    """Say aloud that this service could change its own record: its role owns the tables."""
    with database.reading() as session:
        if owns(session.connection(), "audit"):
            log.warning(
                "tables_owned_by_service", database=database.engine.url.database, setting="FAZHI_OWNER_URL"
            )


class _Names:
    """What is in the schema, quoted for a statement."""

    def __init__(self, connection: Connection, role: str) -> None:
        self.quoted = connection.dialect.identifier_preparer.quote_identifier
        self.role = self.quoted(role)
        self.schema = self.quoted(connection.execute(text("SELECT current_schema()")).scalar_one())
        # A partition is reached through its table, whose rights count.
        tables = text(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
        )
        self.tables = list(connection.execute(tables).scalars())


def _refuse_the_mighty(connection: Connection, role: str) -> None:
    query = text(
        "SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role"
    )
    mighty = connection.execute(query, {"role": role}).scalar()
    if mighty is None:
        raise Invalid(f"数据库中没有角色 {role}，请先建立。", code="platform.no_such_role")
    if mighty:
        raise Invalid(
            f"服务的数据库角色 {role} 是表的所有者或超级用户，任何授权都约束不了它；请按部署文档另设所有者角色。",
            code="platform.role_owns_tables",
        )


def _statements(names: _Names, guarded: set[str]) -> list[str]:
    said = []
    for whom in ("PUBLIC", names.role):
        said += [
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {names.schema} FROM {whom}",
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {names.schema} FROM {whom}",
            f"REVOKE ALL ON SCHEMA {names.schema} FROM {whom}",
        ]
    said += [
        f"GRANT USAGE ON SCHEMA {names.schema} TO {names.role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {names.schema} TO {names.role}",
    ]
    for table in names.tables:
        if table == VERSIONS:
            rights = "SELECT"
        elif table in guarded:
            rights = "SELECT, INSERT"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        said.append(f"GRANT {rights} ON {names.quoted(table)} TO {names.role}")
    return said
