"""The HTTP routes of assessment, gathered from its subjects."""

from fastapi import APIRouter, Depends

from services.assessment.app import Assessment
from services.assessment.bulletins import api as bulletins
from services.assessment.detection import api as detection
from services.assessment.explanation import api as explanation
from services.assessment.framework import api as framework
from services.assessment.ledger import api as ledger
from services.assessment.objections import api as objections
from services.assessment.publication import api as publication
from services.assessment.ranking import analyses_api
from services.assessment.ranking import api as ranking
from services.assessment.rectification import api as rectification
from services.assessment.replay import api as replay
from services.assessment.reporting import api as reporting
from services.assessment.review import api as review
from services.assessment.sheets import api as sheets
from services.assessment.surveys import api as surveys
from services.assessment.tasks import api as tasks
from services.assessment.warnings import api as warnings


def routers(app: Assessment) -> list[APIRouter]:
    """Every router of the service."""
    supervision = app.supervision
    current = APIRouter(dependencies=[Depends(app.ledger.refuse_an_old_copy)])
    for router in (
        analyses_api.router(app.rankings, app.analyses),
        replay.router(app.replays),
        ranking.router(app.rankings),
        framework.router(app.frameworks, app.framework_changes, app.framework_overview),
        tasks.router(app.tasks, app.task_views),
        explanation.router(app.explanations, app.entries),
        warnings.router(supervision.warnings),
        rectification.router(supervision.orders, supervision.order_reading),
        objections.router(supervision.objections, supervision.objection_reading),
        publication.router(app.closings, app.publications, app.public_keys),
        bulletins.router(app.bulletins),
        detection.router(app.detection),
        surveys.router(app.surveys, app.blobs),
        sheets.router(app.sheets, app.blobs),
        reporting.router(app.reports, app.evidence_files, app.workbooks),
        review.router(app.reviews, app.looking, app.roster),
    ):
        current.include_router(router)
    return [ledger.router(app.ledger, app.receipts), current]
