"""Alembic environment of assessment; kernel.storage.migrate does the work."""

import services.assessment.bulletins.model
import services.assessment.detection.model
import services.assessment.framework.model
import services.assessment.ledger.model
import services.assessment.objections.model
import services.assessment.publication.model
import services.assessment.rectification.model
import services.assessment.replay.model
import services.assessment.reporting.model
import services.assessment.review.model
import services.assessment.scoring.model
import services.assessment.sheets.model
import services.assessment.surveys.model
import services.assessment.tasks.model
import services.assessment.warnings.model  # noqa: F401  (all make their tables known)
from kernel.storage.migrate import run_environment
from services.assessment.tables import Base

run_environment(Base.metadata)
