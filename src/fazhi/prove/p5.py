"""
P5: nobody reads or writes what was not granted: not another unit's draft, nor anything else.

Over the embedded platform with the demonstration county, every route is asked for every role, place in the tree and
object, and held against one declared table (p5_table.py, p5_matrix.py). Beside the matrix: the same questions over
gRPC, denials in the audit log, a person transferred to another unit, and many units at once on a pool of two
connections over PostgreSQL. A deviation names its route, role and relation; none is forgiven.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from fazhi.prove import p5_beside
from fazhi.prove.p5_furnish import furnish
from fazhi.prove.p5_grpc import over_grpc
from fazhi.prove.p5_matrix import SHOWN, Matrix, run
from fazhi.prove.p5_world import World, world
from kernel.errors import NotAllowed
from kernel.telemetry.log import configure


@dataclass(frozen=True, slots=True)
class Form:
    """How many objects of a kind are asked about, and how many requests go through the pool; `bug` is looked for."""

    name: str
    objects: int
    pooled: int
    over_http: bool = True


FORMS = {
    "short": Form("short", 2, 300),
    "long": Form("long", 12, 2_000),
    "forgets_the_area": Form("forgets_the_area", 1, 0),
    "shows_drafts": Form("shows_drafts", 5, 0),
    "says_forbidden": Form("says_forbidden", 1, 0),
    "shares_an_answer": Form("shares_an_answer", 0, 200),
    "streams_everything": Form("streams_everything", 1, 0, over_http=False),
}


def prove(form: Form, seed: int, bug: str = "") -> dict[str, Any]:
    """Run the experiment; the result has every counter and `passed`."""
    configure(level="CRITICAL", process="prove")
    started = time.monotonic()
    _plant(bug)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fazhi-prove-")))
        result: dict[str, Any] = {"promise": "P5", "form": form.name, "seed": seed, "planted": bug}
        deviations: list[str] = []
        if form.objects:
            matrix = _asked(stack.enter_context(world(folder / "data", seed)), form, seed)
            deviations += matrix.deviations
            result |= _counts(matrix)
        if form.pooled:
            mixed = p5_beside.pooled(folder / "pool", form.pooled, random.Random(seed))  # noqa: S311
            result |= {"pooled_requests": form.pooled, "pool": p5_beside.POOL}
            deviations += mixed
    result |= {"deviations": len(deviations), "first_deviations": sorted(set(deviations))[:SHOWN]}
    result["seconds"] = round(time.monotonic() - started, 1)
    result["faults"] = ["deviations"] * bool(deviations) + _did_not_bite(form, result)
    result["passed"] = not result["faults"]
    return result


def _asked(place: World, form: Form, seed: int) -> Matrix:
    furnish(place)
    matrix = Matrix(place, form.objects, random.Random(seed))  # noqa: S311  (not for secrets)
    if not form.over_http:
        over_grpc(matrix)
        return matrix
    before = _denials(place)
    asyncio.run(run(matrix))
    for service, count in _denials(place).items():
        if count - before[service] != matrix.denied[service]:
            matrix.deviations.append(
                f"denials {service}: {matrix.denied[service]} refused, {count - before[service]} in the audit log"
            )
    over_grpc(matrix)
    p5_beside.transferred(matrix)
    return matrix


def _denials(place: World) -> dict[str, int]:
    """How many refused acts the audit log of each service has."""
    found = {}
    for name, service in place.platform.services.items():
        audit = service.app.store.spine.audit
        with service.app.store.reading() as session:
            query = select(func.count()).select_from(audit).where(audit.c.result == "denied")
            found[name] = session.execute(query.where(audit.c.reason_code == NotAllowed.code)).scalar_one()
    return found


def _counts(matrix: Matrix) -> dict[str, Any]:
    return {
        "requests": matrix.asked,
        "routes": matrix.routes,
        "people": len(matrix.world.people),
        "refused": sum(matrix.refused.values()),
        "denials_on_record": sum(matrix.denied.values()),
        "hidden": matrix.hidden,
        "shown": matrix.shown,
        "lists": matrix.lists,
        "kinds_without_objects": sorted(matrix.bare),
        "grpc": dict(matrix.grpc),
    }


def _did_not_bite(form: Form, result: Mapping[str, Any]) -> list[str]:
    """A matrix without objects, or without anybody who may, proves nothing."""
    if not form.objects:
        return []
    grpc = result["grpc"]
    enough = grpc["hidden"] > grpc["shown"] > 10 and grpc["refused"] > 50 and grpc["heard"] > 0
    if form.over_http:
        enough = enough and result["hidden"] > result["shown"] > 100 and result["refused"] > 500
    return [] if enough and not result["kinds_without_objects"] else ["did_not_bite"]


def _plant(bug: str) -> None:
    if bug:
        BUGS[bug]()


def _forgets_the_area() -> None:
    from sqlalchemy import true

    from services.assessment.rectification import reading

    vars(reading)["visible"] = lambda _who: true()


def _shows_drafts() -> None:
    from services.assessment.reporting import reach

    vars(reach)["SEEN_BY_OTHERS"] = frozenset({*vars(reach)["SEEN_BY_OTHERS"], "draft"})


def _streams_everything() -> None:
    from services.assessment.ranking.service import Rankings, ScoreChange

    told = Rankings.changes

    def changes(
        self: Rankings, period: str, unit_path: str, after: int, since: datetime | None = None
    ) -> list[ScoreChange]:
        return told(self, period, unit_path[:1] or "/", after, since)

    Rankings.changes = changes  # type: ignore[method-assign]


def _says_forbidden() -> None:
    from services.assessment.reporting import reach

    vars(reach)["no_such_report"] = NotAllowed


BUGS: Mapping[str, Callable[[], None]] = {
    "forgets_the_area": _forgets_the_area,
    "shows_drafts": _shows_drafts,
    "says_forbidden": _says_forbidden,
    "streams_everything": _streams_everything,
    "shares_an_answer": p5_beside.share_an_answer,
}
