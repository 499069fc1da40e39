"""All routes of legislation, for the host."""

from fastapi import APIRouter

from contracts.corrections.doors import corrections_routes
from services.legislation.app import Legislation
from services.legislation.documents import api as documents
from services.legislation.drafting import api as drafting
from services.legislation.search import api as search
from services.legislation.usage import api as usage


def routers(app: Legislation) -> list[APIRouter]:
    """One router a subject."""
    return [
        search.router(app.search),
        documents.router(app.library, app.usage),
        documents.intake_router(app.intake),
        usage.router(app.usage),
        drafting.router(app.register, app.papers),
        corrections_routes(app.corrections),
    ]
