"""
Every state of a probe says between which event numbers it came about.

States there are already are taken to have begun before and to have changed after everything: a question as of a day counts
them anew from the log, as before, until an event or `fazhi rebuild` tells them better.
"""

from alembic import op
from sqlalchemy import Column, text

from kernel.storage.types import BigInt

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AFTER_EVERYTHING = str(2**63 - 1)


def upgrade() -> None:
    """Two numbers a state; one that nobody told counts as changed since."""
    op.add_column("probe_states", Column("first_seq", BigInt, nullable=False, server_default=text("0")))
    op.add_column(
        "probe_states", Column("changed_seq", BigInt, nullable=False, server_default=text(AFTER_EVERYTHING))
    )
