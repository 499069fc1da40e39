"""The routes of disputes."""

from fastapi import APIRouter

from contracts.corrections.doors import corrections_routes
from services.disputes.app import Disputes
from services.disputes.matters import api as matters
from services.disputes.reconsideration import api as reconsideration


def routers(app: Disputes) -> list[APIRouter]:
    """Every subject's routes."""
    return [
        reconsideration.case_routes(app.cases, app.intake, app.register, app.papers, app.store.clock),
        reconsideration.rate_routes(app.rates),
        matters.router(app.matters),
        corrections_routes(app.corrections),
    ]
