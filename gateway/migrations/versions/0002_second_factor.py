"""Second factors with their recovery codes and removals; reasons of grants; whether a session was opened with a code."""

import sqlalchemy as sa
from alembic import op

from kernel.storage.types import BigInt, Id, Moment, one_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_HELD = sa.text("state IN ('pending', 'active')")
_PROPOSED = sa.text("state = 'proposed'")


def upgrade() -> None:
    """New tables, and columns that the version before does not know: it leaves them at their defaults."""
    op.add_column("sessions", sa.Column("by_code", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("reason", "note"):
        op.add_column("grants", sa.Column(name, sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "second_factors",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", sa.String(64), sa.ForeignKey("accounts.account"), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("enrolled_at", Moment),
        sa.Column("ended_at", Moment),
        sa.Column("last_step", BigInt, nullable=False),
        one_of("second_factors", "state", "pending", "active", "replaced", "removed"),
    )
    op.create_index(
        "uq_second_factors_held",
        "second_factors",
        ["account", "state"],
        unique=True,
        postgresql_where=_HELD,
        sqlite_where=_HELD,
    )
    op.create_table(
        "recovery_codes",
        sa.Column("factor", Id, sa.ForeignKey("second_factors.id"), primary_key=True),
        sa.Column("code_hash", sa.String(64), primary_key=True),
        sa.Column("used_at", Moment),
    )
    op.create_table(
        "factor_removals",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account", sa.String(64), sa.ForeignKey("accounts.account"), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("decided_at", Moment),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("note", sa.String(200), nullable=False),
        one_of("factor_removals", "state", "proposed", "done", "refused"),
    )
    op.create_index(
        "uq_factor_removals_proposed",
        "factor_removals",
        ["account"],
        unique=True,
        postgresql_where=_PROPOSED,
        sqlite_where=_PROPOSED,
    )
    op.create_index("ix_factor_removals_proposed_at", "factor_removals", ["proposed_at"])
