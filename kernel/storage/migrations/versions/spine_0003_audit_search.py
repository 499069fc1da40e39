"""Indexes for what auditors look for: a person, a unit, the beginning of an act, a time, refusals, part of an object."""

from alembic import op
from sqlalchemy import MetaData, inspect

from kernel.storage.spine import Spine, index_audited_objects_v1
from kernel.telemetry.log import logger

revision = "spine_0003"
down_revision = "spine_0002"
branch_labels = None
depends_on = None

log = logger(__name__)


def upgrade() -> None:
    """Make them, unless the service's first version, which may come later, is still to make the table with them."""
    connection = op.get_bind()
    if not inspect(connection).has_table("audit"):
        return
    for index in Spine(MetaData()).audit.indexes:
        index.create(connection, checkfirst=True)
    if not index_audited_objects_v1(connection):
        log.warning("audited_objects_not_indexed", extension="pg_trgm")


def downgrade() -> None:
    """Nothing is taken back: the version before does not mind them."""
