"""The gateway's tables as of their first version."""

import sqlalchemy as sa
from alembic import op

from contracts.findings.register import create_findings_v1
from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.types import BigInt, Id, Moment, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    create_findings_v1(connection)
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("password_changed_at", Moment, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("account"),
        one_of("accounts", "state", "active", "disabled"),
    )
    op.create_table(
        "clue_messages",
        sa.Column("system", sa.String(length=50), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("receipt", Id, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("system", "message_id"),
    )
    op.create_table(
        "clues",
        sa.Column("receipt", Id, nullable=False),
        sa.Column("system", sa.String(length=50), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("external_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("unit_path", sa.String(length=500), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("person_hash", sa.String(length=64), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("routed_to", sa.String(length=30), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=True),
        sa.Column("answer_due_at", Moment, nullable=False),
        sa.Column("progressed_at", Moment, nullable=False),
        sa.Column("answered_at", Moment, nullable=True),
        sa.Column("overdue_noted_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("receipt"),
        sa.UniqueConstraint("system", "external_id", name="uq_clues_external"),
        one_of("clues", "state", "accepted", "answered", "received", "returned", "routed"),
    )
    op.create_index("ix_clues_received_at", "clues", ["received_at"], unique=False)
    op.create_index("ix_clues_unit_path", "clues", ["unit_path"], unique=False)
    op.create_index(
        "ix_clues_waiting",
        "clues",
        ["answer_due_at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL"),
        sqlite_where=sa.text("answered_at IS NULL"),
    )

    op.create_table(
        "demonstration",
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("province", sa.String(length=100), nullable=False),
        sa.Column("size", sa.String(length=20), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "partners",
        sa.Column("system", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("bus_user", sa.String(length=100), nullable=False),
        sa.Column("answer_url", sa.String(length=500), nullable=False),
        sa.Column("answer_networks", sa.String(length=500), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rest_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("system"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("account_hash", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.Column("locked_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("account_hash", "source"),
    )
    op.create_index("ix_sign_in_failures_last_at", "sign_in_failures", ["last_at"], unique=False)

    op.create_table(
        "unit_versions",
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(length=100), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("field", sa.String(length=50), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_to", sa.String(length=10), nullable=False),
        sa.Column("successor", sa.String(length=100), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("code", "version"),
        comment="every state a unit ever had",
    )
    op.create_table(
        "answers",
        sa.Column("id", Id, nullable=False),
        sa.Column("system", sa.String(length=50), nullable=False),
        sa.Column("receipt", Id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("settled_at", Moment, nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt"],
            ["clues.receipt"],
        ),
        sa.PrimaryKeyConstraint("id"),
        one_of("answers", "state", "dead", "delivered", "pending"),
    )
    op.create_index(
        "ix_answers_pending",
        "answers",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_answers_receipt", "answers", ["receipt"], unique=False)

    op.create_table(
        "clue_originals",
        sa.Column("receipt", Id, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("raw_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt"],
            ["clues.receipt"],
        ),
        sa.PrimaryKeyConstraint("receipt"),
    )
    op.create_table(
        "clue_progress",
        sa.Column("id", Id, nullable=False),
        sa.Column("receipt", Id, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt"],
            ["clues.receipt"],
        ),
        sa.PrimaryKeyConstraint("id"),
        one_of("clue_progress", "state", "accepted", "answered", "received", "returned", "routed"),
    )
    op.create_index("ix_clue_progress_receipt", "clue_progress", ["receipt"], unique=False)

    op.create_table(
        "demonstration_accounts",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("password", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("unit_name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "grants",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("proposed_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", Moment, nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("id"),
        one_of("grants", "state", "active", "proposed", "refused", "revoked"),
    )
    op.create_index("ix_grants_state", "grants", ["state"], unique=False)
    op.create_index(
        "uq_grants_held",
        "grants",
        ["account", "role", "unit"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'active')"),
        sqlite_where=sa.text("state IN ('proposed', 'active')"),
    )
    op.create_index(
        "uq_grants_one_admin_duty",
        "grants",
        ["account"],
        unique=True,
        postgresql_where=sa.text(
            "state = 'active' AND role IN ('system_admin', 'security_admin', 'audit_admin')"
        ),
        sqlite_where=sa.text(
            "state = 'active' AND role IN ('system_admin', 'security_admin', 'audit_admin')"
        ),
    )

    op.create_table(
        "partner_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("system", sa.String(length=50), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", Moment, nullable=False),
        sa.Column("not_after", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["system"],
            ["partners.system"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_partner_keys_system", "partner_keys", ["system"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"], unique=False)
    op.create_index("ix_sessions_seen_at", "sessions", ["seen_at"], unique=False)
