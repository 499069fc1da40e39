"""The HTTP routes of assessment, gathered from its subjects."""

from fastapi import APIRouter

from services.assessment.app import Assessment
from services.assessment.explanation import api as explanation
from services.assessment.ledger import api as ledger
from services.assessment.ranking import api as ranking


def routers(app: Assessment) -> list[APIRouter]:
    """Every router of the service."""
    return [
        ranking.router(app.rankings),
        explanation.router(app.explanations),
        ledger.router(app.ledger, app.receipts),
    ]
