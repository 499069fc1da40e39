"""The routes of decisions."""

from fastapi import APIRouter

from contracts.corrections.doors import corrections_routes
from services.decisions.app import Decisions
from services.decisions.procedures import api as procedures


def routers(app: Decisions) -> list[APIRouter]:
    """Every subject's routes."""
    return [
        procedures.router(app.procedures, app.intake, app.register, app.papers),
        corrections_routes(app.corrections),
    ]
