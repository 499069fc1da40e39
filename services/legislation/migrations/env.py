"""Alembic environment of legislation; kernel.storage.migrate does the work."""

import services.legislation.documents.model
import services.legislation.drafting.model
import services.legislation.usage.model  # noqa: F401  (all three make their tables known)
from kernel.storage.migrate import run_environment
from services.legislation.tables import Base

run_environment(Base.metadata)
