"""What is sent to routes that write: bodies good enough that only the question of whose object it is remains."""

from collections.abc import Mapping
from typing import Any

from fazhi.prove.p5_table import Route, Thing
from fazhi.prove.p5_world import this_year

WORDS = "证明用：核对权限。"
YEAR = this_year()
A_FILE = ("证明.txt", "证明用材料\n".encode(), "text/plain")
QUERIES: Mapping[str, str] = {
    "/assessment/rankings/intervals": "?peer_group=county_departments",
    "/assessment/tasks/calendar": f"?month={YEAR}-11",
    "/assessment/units/{unit}/explanation": f"?period={YEAR}",
    "/assessment/detection/drafts": f"?period={YEAR}",
    "/legislation/articles/search": "?q=处罚",
    "/legislation/basis": "?q=处罚",
}
# Path -> JSON; "{unit}" and the like are filled in from the object. Files are sent with these form fields.
BODIES: Mapping[str, Any] = {
    "/gateway/accounts/{account}/state": {"state": "active"},
    "/gateway/accounts/{account}/unit": {"unit": "{unit}"},
    "/gateway/accounts": {
        "account": "zhengming",
        "name": "证明",
        "unit": "{unit}",
        "password": "Qingming-2026-river",
    },
    "/gateway/grants": {"account": "tianbao.xian", "role": "reporter", "unit": "{unit}"},
    "/gateway/grants/{grant}/decision": {"approve": True},
    "/gateway/factor-removals": {"account": "{account}", "reason": WORDS},
    "/gateway/factor-removals/{removal}/decision": {"approve": True},
    "/gateway/clues/{receipt}/amendments": {"kind": "excluded", "reason": WORDS},
    "/gateway/units": {
        "code": "150102-zm",
        "name": "证明局",
        "kind": 2,
        "level": 3,
        "parent": "{unit}",
        "region_code": "150102",
        "valid_from": f"{YEAR}-01-01",
        "reason": WORDS,
    },
    "/gateway/units/{code}/versions": {"name": "证明局", "reason": WORDS},
    "/legislation/normative-documents/{document}": {
        "unit": "150102",
        "number": "证明1号",
        "title": "证明文件",
        "signed_on": f"{YEAR}-01-05",
        "version": 1,
    },
    "/legislation/normative-documents": {
        "unit": "{unit}",
        "number": "证明1号",
        "title": "证明文件",
        "signed_on": f"{YEAR}-01-05",
    },
    "/disputes/reconsiderations/{case}/steps": {"step": {"kind": "accepted", "on": f"{YEAR}-11-01"}},
    "/disputes/matters/{receipt}/answer": {"note": WORDS},
    "/decisions/decisions/{decision}/steps": {"step": {"kind": "archived", "on": f"{YEAR}-11-01"}},
    "/enforcement/leads/{lead}/acceptance": {"checked_not_pending": True},
    "/enforcement/leads/{lead}/return": {"note": WORDS},
    "/enforcement/leads/{lead}/answer": {"note": WORDS},
    "/assessment/task_plans/{plan}/areas/{area}/tasks/{node}/assignment": {
        "lead": "150102",
        "due_on": f"{YEAR}-12-20",
        "reason": WORDS,
    },
    "/assessment/task_plans/{plan}/areas/{area}/tasks/{node}/notes": {"kind": "progress", "text": WORDS},
    "/assessment/task_plans": {"year": int(YEAR), "scope": "{unit}", "title": "证明任务"},
    "/assessment/orders": {
        "unit": "{unit}",
        "title": "证明",
        "reason": WORDS,
        "proof": WORDS,
        "checked_not_pending": True,
    },
    "/assessment/orders/{order}/issue": {"checked_not_pending": True},
    "/assessment/orders/{order}/answer": {"statement": WORDS},
    "/assessment/orders/{order}/check": {"is_met": True, "note": WORDS},
    "/assessment/orders/{order}/return": {"note": WORDS},
    "/assessment/orders/{order}/extension": {"note": WORDS, "due_on": f"{YEAR}-12-28"},
    "/assessment/orders/{order}/closing": {"outcome": "not_established", "note": WORDS},
    "/assessment/objections/{objection}/withdrawal": {"note": WORDS},
    "/assessment/objections/{objection}/acceptance": {},
    "/assessment/objections/{objection}/refusal": {"note": WORDS},
    "/assessment/objections/{objection}/draft": {"outcome": "rejected", "reasons": WORDS},
    "/assessment/objections/{objection}/confirmation": {},
    "/assessment/objections/{objection}/return": {"note": WORDS},
    "/assessment/detection/drafts/{draft}/decision": {"decision": "dismissed", "reason": WORDS},
    "/assessment/sheets": {
        "kind": "third_party",
        "period": YEAR,
        "units": ["{unit}"],
        "results": ["OS.FILES.1"],
        "assignee": "pinggu",
        "due_on": f"{YEAR}-12-20",
    },
    "/assessment/sheets/{sheet}/versions": {"version": 0, "items": []},
    "/assessment/surveys/{survey}/codes": {"unit": "150102-scjg", "count": 1},
    "/assessment/reports/{report}/draft": {"version": 0, "statement": WORDS},
    "/assessment/reports/{report}/submission": {"version": 1},
    "/assessment/reports/{report}/withdrawal": {"reasons": WORDS},
    "/assessment/reviews/{assignment}/answer": {"decision": "return", "reasons": WORDS},
    "/assessment/reviews/{assignment}/handing-on": {"reviewer": "", "reason": WORDS},
}
FORMS: Mapping[str, Mapping[str, str]] = {
    "/legislation/normative-documents/{subject}/files": {"material": "other"},
    "/disputes/reconsiderations/{subject}/files": {"material": "other"},
    "/decisions/decisions/{subject}/files": {"material": "other"},
    "/assessment/orders/{order}/files": {},
    "/assessment/objections/{objection}/files": {},
    "/assessment/sheets/{sheet}/files": {},
    "/assessment/surveys/{survey}/files": {},
    "/assessment/reports/{report}/files": {},
    "/assessment/task_plans/{plan}/areas/{area}/file": {},
}


def address(route: Route, params: Mapping[str, str]) -> str:
    """Where a route of the table is, for an object."""
    _, service, rest = route.path.split("/", 2)
    path = f"/api/{service}/v1/{rest}"
    for name, value in params.items():
        path = path.replace("{" + name + "}", value)
    return path.replace("{period}", YEAR) + QUERIES.get(route.path, "")


def sent(route: Route, params: Mapping[str, str]) -> dict[str, Any]:
    """What goes with the request."""
    if route.method in {"GET", "DELETE"}:
        return {}
    if route.path in FORMS:
        return {"files": {"file": A_FILE}, "data": dict(FORMS[route.path])}
    return {"json": _filled(BODIES.get(route.path, {}), params)}


def unknown(thing: Thing) -> dict[str, str]:
    """The same in which nothing of it exists."""
    return {name: _never(value) for name, value in thing.params.items()}


def _never(value: str) -> str:
    if value.startswith("sha256:"):
        return "sha256:" + "0" * 64
    if len(value) == 64:
        return "0" * 64
    return "01900000-0000-7000-8000-000000000000" if len(value) == 36 else "no-such"


def _filled(value: Any, params: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, params) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, params) for one in value]
    if isinstance(value, str) and value.startswith("{"):
        return params.get(value.strip("{}"), value)
    return value
