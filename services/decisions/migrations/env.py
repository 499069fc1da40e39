"""Alembic environment of decisions; kernel.storage.migrate does the work."""

from kernel.storage.migrate import run_environment
from services.decisions.conformance import model as _conformance  # noqa: F401 - its tables must be known
from services.decisions.procedures import model as _procedures  # noqa: F401 - its tables must be known
from services.decisions.tables import Base

run_environment(Base.metadata)
