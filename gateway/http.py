"""The gateway's routes, gathered from its subjects."""

from fastapi import APIRouter

from contracts.corrections.doors import corrections_routes
from gateway.app import Gateway
from gateway.clues import api as clues
from gateway.directory import api as directory
from gateway.identity import api as identity
from gateway.identity import factor_api as factors
from gateway.partners import api as partners


def routers(app: Gateway) -> list[APIRouter]:
    """Every router of the gateway."""
    return [
        identity.session_router(app.sessions, app.accounts, app.demonstrations, secure=app.cookie_secure),
        identity.account_router(app.accounts, app.register),
        factors.enrolment_router(app.enrolment, secure=app.cookie_secure),
        factors.removal_router(app.removals),
        directory.router(app.directory, app.units),
        partners.router(app.partners),
        clues.router(app.partners, app.intake, app.review, app.answers),
        clues.original_router(app.originals),
        clues.amendment_router(app.amendments),
        corrections_routes(app.corrections),
    ]
