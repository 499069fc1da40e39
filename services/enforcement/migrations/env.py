"""Alembic's entry: the metadata with every subject's tables known."""

import services.enforcement.cases.model
import services.enforcement.registry.model
import services.enforcement.supervision.model  # noqa: F401 - tables register themselves
from kernel.storage.migrate import run_environment
from services.enforcement.tables import Base

run_environment(Base.metadata)
