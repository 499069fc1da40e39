"""Alembic's entry into the gateway's tables."""

import gateway.clues.model
import gateway.directory.model
import gateway.identity.model
import gateway.partners.model  # noqa: F401 - their tables register themselves
from gateway.tables import Base
from kernel.storage.migrate import run_environment

run_environment(Base.metadata)
