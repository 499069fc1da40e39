"""That a report was opened is a fact too: one more act among what becomes of a report."""

from alembic import op

from kernel.storage.spine import guard_statements

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ACTS = ("opened", "rescored", "returned", "review_opened", "scored", "submitted", "withdrawn")


def upgrade() -> None:
    """Widen what the column may say; SQLite makes the table anew for that, and forgets that it is append-only."""
    with op.batch_alter_table("report_events") as table:
        table.drop_constraint("ck_report_events_act", type_="check")
        table.create_check_constraint("ck_report_events_act", f"act IN ({', '.join(map(repr, ACTS))})")
    for statement in guard_statements(op.get_bind().dialect.name, "report_events"):
        op.execute(statement)


def downgrade() -> None:
    """Facts are never deleted."""
