"""Alembic environment of assessment; kernel.storage.migrate does the work."""

import services.assessment.framework.model
import services.assessment.ledger.model
import services.assessment.scoring.model
import services.assessment.tasks.model  # noqa: F401  (all make their tables known)
from kernel.storage.migrate import run_environment
from services.assessment.tables import Base

run_environment(Base.metadata)
