"""The audit log: numbers, hashes and checkpoints of audit records; `adopt_strays` takes in those that are there."""

from alembic import op
from sqlalchemy import MetaData, text

from kernel.storage.spine import Spine, guard_statements

revision = "spine_0002"
down_revision = None
branch_labels = ("spine",)
depends_on = None


def upgrade() -> None:
    """A line beside the service's own: the first version of either may come first."""
    connection = op.get_bind()
    metadata = MetaData()
    spine = Spine(metadata)
    metadata.create_all(connection, tables=spine.of_the_audit_log, checkfirst=True)
    for table in ("audit_leaves", "audit_checkpoints"):
        for statement in guard_statements(connection.dialect.name, table):
            connection.execute(text(statement))


def downgrade() -> None:
    """Nothing is taken back: the version before leaves these tables alone."""
