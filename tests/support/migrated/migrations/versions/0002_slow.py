"""A column, and a step so slow that a test can kill the process in the middle of it."""

import os
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("things", sa.Column("kind", sa.String(50)))
    op.execute("INSERT INTO things (name) VALUES ('once')")
    if mark := os.environ.get("TOY_MIGRATION_MARK"):
        Path(mark).touch()
    time.sleep(float(os.environ.get("TOY_MIGRATION_SECONDS", "0")))
