"""Alembic environment of disputes; kernel.storage.migrate does the work."""

from kernel.storage.migrate import run_environment
from services.disputes.matters import model as _matters  # noqa: F401 - its tables must be known
from services.disputes.reconsideration import model as _reconsideration  # noqa: F401 - same
from services.disputes.tables import Base

run_environment(Base.metadata)
