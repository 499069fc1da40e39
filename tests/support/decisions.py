"""A lawful decision, step by step: valid by default, one line to differ."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from kernel.calendar import WorkingCalendar
from services.decisions.conformance.rules.items import items
from services.decisions.conformance.rules.look import Look
from services.decisions.conformance.template import Template, load_templates
from services.decisions.procedures.reading import read_step
from services.decisions.procedures.rules.procedure import AnyStep, Procedure

CATALOG = Path(__file__).parents[2] / "catalog"
GOVERNMENT, LEAD, JUSTICE = "150102", "150102-fgw", "150102-sf"
Body = dict[str, Any]


def files(*kinds: str) -> list[Body]:
    return [{"kind": kind} for kind in kinds]


# A technical and risky matter with a hearing, decided on Monday 2026-05-18. Keys name the steps for tests.
COURSE: dict[str, Body] = {
    "proposed": {"kind": "proposed", "on": "2026-01-05", "source": "department"},
    "studied": {
        "kind": "studied",
        "on": "2026-01-20",
        "parts": ["problem", "basis", "plan", "necessity", "feasibility"],
    },
    "started": {
        "kind": "started",
        "on": "2026-01-26",
        "undertakers": [{"unit": LEAD}],
        "reviewer": JUSTICE,
        "catalogue_item": "2026-07",
        "technical": True,
        "risky": True,
        "market": True,
        "party_report": True,
        "related_units": ["150102-cz", "150102-zr"],
        "documents": files("start_decision"),
    },
    "drafted": {
        "kind": "drafted",
        "on": "2026-02-10",
        "version": 1,
        "cost_benefit": "done",
        "wide_dispute": False,
        "basis": [{"document": "城乡规划法", "version": "2019-04-23", "article": "第九条"}],
        "documents": files("draft", "survey", "legal_basis"),
    },
    "asked_finance": {
        "kind": "consulted", "on": "2026-02-11", "unit": "150102-cz", "replied_on": "2026-02-13", "agreed": True,
    },
    "asked_land": {
        "kind": "consulted", "on": "2026-02-11", "unit": "150102-zr", "replied_on": "2026-02-13", "agreed": True,
    },
    "comment_opened": {
        "kind": "comment_opened",
        "on": "2026-03-02",
        "closes_on": "2026-04-01",
        "channels": ["official_site", "newspaper"],
        "with_draft": True,
        "with_explanation": True,
        "with_contact": True,
        "with_closing_date": True,
    },
    "hearing_held": {
        "kind": "hearing_held",
        "on": "2026-04-02",
        "rule_published_on": "2026-03-16",
        "list_published_on": "2026-03-20",
        "place_published_on": "2026-03-20",
        "participants": [{"id": "H1", "delivered_on": "2026-03-26", "confirmed": "signed"}],
    },
    "opinions_handled": {
        "kind": "opinions_handled",
        "on": "2026-04-08",
        "received": 2,
        "opinions": [
            {"id": "O1", "status": "adopted", "because": "已写入方案"},
            {"id": "O2", "status": "not_adopted", "because": "超出本市权限"},
        ],
        "documents": files("opinion_summary"),
    },
    "experts_argued": {
        "kind": "experts_argued",
        "on": "2026-04-10",
        "experts": [
            {"id": "E1", "pool": "15-1", "conflict": "none"},
            {"id": "E2", "pool": "15-2", "conflict": "none", "differs": True},
            {"id": "E3", "pool": "15-3", "conflict": "none"},
        ],
        "opinions": [
            {
                "expert": expert, "signed": True, "status": "adopted",
                "covers": ["necessity", "feasibility", "soundness"],
            }
            for expert in ("E1", "E2", "E3")
        ],
    },
    "risk_appraised": {
        "kind": "risk_appraised",
        "on": "2026-04-13",
        "assessor": "某某评估公司",
        "sections": ["risk_points", "prevention", "handling", "departments"],
        "conclusion": "controllable",
    },
    "review_submitted": {
        "kind": "review_submitted",
        "on": "2026-04-15",
        "documents": files("draft", "legal_basis", "procedure_statement"),
    },
    "review_complete": {"kind": "review_complete", "on": "2026-04-15"},
    "review_issued": {
        "kind": "review_issued",
        "on": "2026-04-24",
        "unit": JUSTICE,
        "parts": ["authority", "procedure", "content"],
        "conclusion": "lawful",
        "advisers": True,
        "remarks": ["R1"],
    },
    "review_answered": {
        "kind": "review_answered", "on": "2026-04-27", "responses": [{"remark": "R1", "text": "已采纳"}],
    },
    "discussion_submitted": {
        "kind": "discussion_submitted",
        "on": "2026-04-29",
        "documents": files(
            "draft", "public_opinions", "expert_opinions", "risk_report", "review_opinion", "fair_competition"
        ),
    },
    "discussed": {
        "kind": "discussed",
        "on": "2026-05-18",
        "meeting": "executive",
        "members": 4,
        "quorum": 3,
        "attended": 3,
        "head": "M1",
        "views": [
            {"member": "M2", "view": "agree"},
            {"member": "M3", "view": "disagree", "text": "建议缓行"},
            {"member": "M1", "view": "agree"},
        ],
        "outcome": "passed",
    },
    "party_reported": {"kind": "party_reported", "on": "2026-05-18", "number": "请示1号"},
    "decided": {"kind": "decided", "on": "2026-05-18"},
    "published": {
        "kind": "published",
        "on": "2026-05-20",
        "channels": ["gazette", "official_site", "newspaper"],
        "interpreted": True,
    },
    "execution_assigned": {"kind": "execution_assigned", "on": "2026-05-20", "unit": LEAD},
    "archived": {
        "kind": "archived",
        "on": "2026-06-01",
        "checked": True,
        "kinds": [
            "proposal", "study_report", "start_decision", "draft", "legal_basis", "survey", "consultation_replies",
            "comment_notice", "opinion_summary", "hearing_record", "expert_opinions", "risk_report",
            "review_opinion", "meeting_minutes", "publication",
        ],
    },
    "execution_reported": {"kind": "execution_reported", "on": "2026-06-20", "evaluation_needed": False},
}  # fmt: skip
JULY = date(2026, 7, 1)


@lru_cache(maxsize=1)
def calendar() -> WorkingCalendar:
    return WorkingCalendar()


@lru_cache(maxsize=1)
def template() -> Template:
    return load_templates(CATALOG / "templates")[0]


def course(
    *, without: tuple[str, ...] = (), until: str = "", **changes: Mapping[str, Any]
) -> dict[str, Body]:
    """The lawful course, cut after `until`, without some steps, and with fields changed: drafted={"version": 2}."""
    steps = deepcopy(COURSE)
    for name, fields in changes.items():
        steps[name] |= fields
    if until:
        names = list(steps)
        steps = {name: steps[name] for name in names[: names.index(until) + 1]}
    return {name: body for name, body in steps.items() if name not in without}


def steps(*, without: tuple[str, ...] = (), until: str = "", **changes: Mapping[str, Any]) -> list[AnyStep]:
    return [read_step(body) for body in course(without=without, until=until, **changes).values()]


def procedure(*, without: tuple[str, ...] = (), until: str = "", **changes: Mapping[str, Any]) -> Procedure:
    return Procedure(tuple(steps(without=without, until=until, **changes)))


def look(
    *extra: Body,
    without: tuple[str, ...] = (),
    until: str = "",
    today: date = JULY,
    **changes: Mapping[str, Any],
) -> Look:
    found = procedure(without=without, until=until, **changes)
    for body in extra:
        found = found.plus(read_step(body))
    return Look(found, template().settings, calendar(), today)


def outcomes(seen: Look) -> dict[str, str]:
    """What every item says: {"DEC-01": "PASS", ...}."""
    return {probe.name: probe.rule(seen).outcome.name for probe in items()}


def exceptions(seen: Look) -> dict[str, str]:
    """Items that do not pass."""
    return {name: outcome for name, outcome in outcomes(seen).items() if outcome != "PASS"}
