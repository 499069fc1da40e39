"""The HTTP routes of enforcement, gathered from its subjects."""

from fastapi import APIRouter

from contracts.corrections.doors import corrections_routes
from services.enforcement.app import Enforcement
from services.enforcement.cases import api as cases
from services.enforcement.registry import api as registry
from services.enforcement.supervision import api as supervision


def routers(app: Enforcement) -> list[APIRouter]:
    """Every router of the service."""
    return [
        registry.router(app.registry),
        cases.router(app.cases),
        supervision.router(app.supervision),
        corrections_routes(app.corrections),
    ]
