"""Every change of an account and of a grant beside the rows that say what it came to, so that a past day is known."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

from kernel.ids import new_id
from kernel.storage.spine import guard_statements
from kernel.storage.types import Id, Moment, one_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SYSTEM = "system"
BATCH = 1_000
_ACTS = ("created", "active", "disabled", "transferred", "password_changed")


def upgrade() -> None:
    """Make the tables, with what the rows and the audit log say of the time before; what neither says is not made up."""
    accounts = op.create_table(
        "account_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", sa.String(64), sa.ForeignKey("accounts.account"), nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("unit", sa.String(100), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        one_of("account_events", "act", *_ACTS),
    )
    op.create_index("ix_account_events_account", "account_events", ["account", "at"])
    grants = op.create_table(
        "grant_events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("grant", Id, sa.ForeignKey("grants.id"), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        one_of("grant_events", "state", "proposed", "active", "refused", "revoked"),
    )
    op.create_index("ix_grant_events_grant", "grant_events", ["grant", "at"])
    connection = op.get_bind()
    acts = _acts(connection)
    _fill(connection, accounts, _of_accounts(connection, acts))
    _fill(connection, grants, _of_grants(connection, acts))
    for table in ("account_events", "grant_events"):
        for statement in guard_statements(connection.dialect.name, table):
            connection.execute(sa.text(statement))


def _acts(connection: sa.Connection) -> dict[str, list[Any]]:
    """Object -> what the audit log says was done to it, oldest first."""
    names = ("seq", "actor", "action", "object", "before_digest", "after_digest", "result")
    audit = sa.table("audit", *(sa.column(name) for name in names), sa.column("at", Moment))
    kinds = ("account.active", "account.disabled", "account.transferred", "account.password_changed")
    wanted = sa.select(audit).where(audit.c.action.in_((*kinds, "grant.active")), audit.c.result == "done")
    found: dict[str, list[Any]] = {}
    for row in connection.execute(wanted.order_by(audit.c.seq)):
        found.setdefault(row.object, []).append(row)
    return found


def _of_accounts(connection: sa.Connection, acts: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    moments = (sa.column(name, Moment) for name in ("created_at", "password_changed_at"))
    known = sa.table("accounts", *(sa.column(name) for name in ("account", "unit", "created_by")), *moments)
    for row in connection.execute(sa.select(known).order_by(known.c.account)).all():
        done = acts.get(f"accounts/{row.account}", [])
        moves = [one for one in done if one.action == "account.transferred"]
        unit = moves[0].before_digest if moves else row.unit
        yield _account_event(row.account, "created", unit, row.created_at, row.created_by)
        is_changed = any(one.action == "account.password_changed" for one in done)
        if row.password_changed_at is not None and not is_changed:  # made with a password of its own
            yield _account_event(
                row.account, "password_changed", unit, row.password_changed_at, row.created_by
            )
        for one in done:
            unit = one.after_digest if one in moves else unit
            yield _account_event(row.account, one.action.partition(".")[2], unit, one.at, one.actor)


def _account_event(account: str, act: str, unit: str, at: Any, by: str) -> dict[str, Any]:
    return {"id": new_id(), "account": account, "act": act, "unit": unit, "at": at, "by": by}


def _of_grants(connection: sa.Connection, acts: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    moments = (sa.column(name, Moment) for name in ("proposed_at", "decided_at"))
    names = ("state", "proposed_by", "decided_by", "note")
    known = sa.table("grants", sa.column("id", Id), *(sa.column(name) for name in names), *moments)
    for row in connection.execute(sa.select(known).order_by(known.c.id)).all():
        by_system = row.proposed_by == SYSTEM
        if not by_system:
            yield _grant_event(row.id, "proposed", row.proposed_at, row.proposed_by)
        if row.state == "revoked":
            # Who approved it and when is in the audit log; what was said with it gave way to what was said at the end.
            if by_system:
                yield _grant_event(row.id, "active", row.proposed_at, SYSTEM)
            for one in acts.get(f"grants/{row.id}", []):
                yield _grant_event(row.id, "active", one.at, one.actor)
        if row.state != "proposed":
            yield _grant_event(row.id, row.state, row.decided_at, row.decided_by or "", row.note)


def _grant_event(grant: Any, state: str, at: Any, by: str, note: str = "") -> dict[str, Any]:
    return {"id": new_id(), "grant": str(grant), "state": state, "at": at, "by": by, "note": note}


def _fill(connection: sa.Connection, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    while some := list(islice(rows, BATCH)):
        connection.execute(sa.insert(table), some)


def downgrade() -> None:
    """What was done is never forgotten."""
