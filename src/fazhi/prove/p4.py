"""
P4: every score can be traced back and recomputed at any time.

A county's year of events, corrections among them, goes into assessment over a PostgreSQL of our own, and at several
moments the scores that stand are written down. Then random questions: why had this unit, a department or the
government above them, this figure at that moment?
The answer's events are counted and weighed by the independent verifier, which shares no code with the platform,
and must come to the figure written down; every event must name author, source record, rule version and basis, and
must be in a signed checkpoint. Last, the whole history is delivered again in random orders: the same totals.
"""

import importlib.util
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
from sqlalchemy import text

from contracts.roles import INSPECTOR
from fazhi.prove.history import COUNTY, GROUP, HISTORY_START, UNITS, deliver, drawn, opened, units_told
from kernel.access.principal import Principal
from kernel.clock import FixedClock
from kernel.ledger.checkpoint import read_checkpoint
from kernel.ledger.tree import SHA256, ProofWrong, verify_inclusion
from kernel.telemetry.log import configure
from services.assessment.ranking.known import AsOf
from services.assessment.ranking.rules import points_text, share_text
from services.assessment.scoring.rules import roll_up_totals
from services.assessment.scoring.tallies import assessed_units, states_of

WHO = Principal(account="prover", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR}))
YEAR = "2026"
MOMENTS = 5
SLOWEST_P95_MS = 500.0
PAGE = 5_000
RECOMPUTED = (
    50_000  # of a government with more events below it the figure is compared with the one written down only
)
GOVERNMENTS = "county_governments"
NAMED = (
    "event_id",
    "source",
    "subject",
    "unit",
    "probe",
    "rule_version",
    "occurred_at",
    "recorded_at",
    "basis",
)


@dataclass(frozen=True, slots=True)
class Form:
    """How many events, questions, and orders of delivery of how many events."""

    name: str
    events: int
    questions: int
    orders: int
    reordered: int


FORMS = {
    "short": Form("short", 20_000, 200, 5, 2_000),
    "long": Form("long", 1_000_000, 1_000, 20, 20_000),
    "forgets_corrections": Form("forgets_corrections", 4_000, 60, 2, 500),
    "last_arrival_wins": Form("last_arrival_wins", 4_000, 20, 4, 800),
}


@dataclass(slots=True)
class Found:
    """What the questions came to."""

    asked: int = 0
    recomputed: int = 0
    unequal: list[str] = field(default_factory=list)
    unnamed: int = 0
    unproved: int = 0
    events_checked: int = 0
    milliseconds: list[float] = field(default_factory=list)


def prove(form: Form, seed: int, bug: str = "") -> dict[str, Any]:
    """Run the experiment; the result has every counter and `passed`."""
    from tests.support.postgresql import (
        PostgreSQL,  # the room that starts real servers is shared with the tests
    )

    configure(level="ERROR", process="prove")
    _plant(bug)
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311  (a workload, not a secret)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fazhi-prove-")))
        database = stack.enter_context(PostgreSQL())
        database.create_database("assessment")
        clock = FixedClock(HISTORY_START)
        app = stack.enter_context(opened(folder, clock, str(database.url_of("assessment"))))
        history = list(drawn(form.events, chance))
        figures = _record(app, clock, history)
        app.sealer.seal()
        found = _ask(app, form, figures, chance)
        different = _orders(folder, form, history[: form.reordered], chance)
    result = {
        "promise": "P4",
        "form": form.name,
        "seed": seed,
        "planted": bug,
        "events": len(history),
        "questions": found.asked,
        "recomputed": found.recomputed,
        "unequal": len(found.unequal),
        "first_unequal": found.unequal[:3],
        "events_without_origin": found.unnamed,
        "events_without_proof": found.unproved,
        "events_checked": found.events_checked,
        "slowest_ms": round(max(found.milliseconds), 1),
        "p95_ms": round(statistics.quantiles(found.milliseconds, n=20)[-1], 1),
        "orders": form.orders,
        "orders_that_differ": different,
        "seconds": round(time.monotonic() - started, 1),
    }
    result["faults"] = list(_faults(result, found))
    result["passed"] = not result["faults"]
    return result


def _faults(result: dict[str, Any], found: Found) -> Sequence[str]:
    counted = ("unequal", "events_without_origin", "events_without_proof", "orders_that_differ")
    faults = [name for name in counted if result[name]]
    if result["p95_ms"] > SLOWEST_P95_MS:
        faults.append("too_slow")
    if found.events_checked < result["questions"]:
        faults.append("did_not_bite")  # answers without events prove nothing
    return faults


def _record(app: Any, clock: FixedClock, history: Sequence[Any]) -> dict[int, dict[str, int | None]]:
    """Deliver the history, and write down the scores that stand at several moments: events known -> unit -> score."""
    figures: dict[int, dict[str, int | None]] = {}
    units_told(app)
    for number in range(MOMENTS):
        part = history[number * len(history) // MOMENTS : (number + 1) * len(history) // MOMENTS]
        deliver(app, part, clock)
        app.roll_up.catch_up()
        with app.store.reading() as session:
            head = session.execute(text("SELECT size FROM log_head")).scalar_one()
            rows = session.execute(text("SELECT unit, score FROM unit_scores WHERE year = :y"), {"y": YEAR})
            figures[head] = {row.unit: row.score for row in rows}
    return figures


def _ask(app: Any, form: Form, figures: dict[int, dict[str, int | None]], chance: random.Random) -> Found:
    """Ask; what was asked before is answered and compared again, but its events are not recomputed again."""
    framework = app.frameworks.current()
    recompute = partial(_recomputed, _verifier(), _document(app, framework))
    found = Found()
    checked: dict[int, bool] = {}
    recomputed: dict[tuple[str, str, int], int | None] = {}
    for _ in range(form.questions):
        seq, unit = chance.choice(sorted(figures)), chance.choice((*UNITS, COUNTY))
        group = GOVERNMENTS if unit == COUNTY else GROUP
        node = chance.choice([framework.root, chance.choice(_nodes(framework, group))])
        began = time.perf_counter()
        answer = app.explanations.explain(WHO, unit, YEAR, node.code, as_of=AsOf(seq=seq), limit=50)
        found.milliseconds.append((time.perf_counter() - began) * 1000)
        found.asked += 1
        asked = unit, node.code, seq
        said = answer.node.score if node is framework.root else answer.node.amounts.earned
        wanted = figures[seq].get(unit) if node is framework.root else said
        if said != wanted:
            found.unequal.append(f"{unit} {node.code or 'total'} at {seq}: {wanted} said {said}")
        if asked not in recomputed and answer.events_total <= RECOMPUTED:
            leaves = _leaves(app, unit, node.code, seq, answer)
            _check_origin(app, found, leaves, checked)
            recomputed[asked] = recompute(group, node, leaves)
        if said != recomputed.get(asked, said):
            found.unequal.append(
                f"{unit} {node.code or 'total'} at {seq}: {said} recomputed {recomputed[asked]}"
            )
    found.recomputed = len(recomputed)
    return found


def _nodes(framework: Any, group: str) -> list[Any]:
    return [
        node
        for node in framework.root.walk()
        if group in node.points and any(child.probes for child in node.children)
    ]


def _leaves(app: Any, unit: str, node: str, seq: int, answer: Any) -> list[dict[str, Any]]:
    """Every event the answer rests on, page by page."""
    leaves = [event.leaf for event in answer.events]
    while len(leaves) < answer.events_total:
        page = app.explanations.explain(
            WHO, unit, YEAR, node, as_of=AsOf(seq=seq), limit=PAGE, offset=len(leaves)
        )
        leaves += [event.leaf for event in page.events]
    return leaves


def _check_origin(app: Any, found: Found, leaves: Sequence[dict[str, Any]], checked: dict[int, bool]) -> None:
    """Every event says where it comes from; one of each answer not looked at before is proved to be in the ledger."""
    found.events_checked += len(leaves)
    found.unnamed += sum(not all(leaf[name] for name in NAMED) for leaf in leaves)
    fresh = next((leaf for leaf in leaves if leaf["seq"] not in checked), None)
    if fresh is None:
        return
    proof = app.ledger.inclusion(fresh["seq"])
    written = orjson.dumps(fresh, option=orjson.OPT_SORT_KEYS)
    checked[fresh["seq"]] = True
    try:
        verify_inclusion(
            SHA256,
            index=fresh["seq"] - 1,
            size=proof.size,
            leaf_hash=SHA256.leaf(written),
            proof=proof.proof,
            expected_root=read_checkpoint(proof.note.text).root,
        )
    except ProofWrong:
        found.unproved += 1


def _recomputed(
    verifier: ModuleType, document: dict[str, Any], group: str, node: Any, leaves: Sequence[dict[str, Any]]
) -> int | None:
    """The figure by the independent verifier, from nothing but the leaves."""
    with tempfile.TemporaryDirectory(prefix="fazhi-p4-") as folder:
        lines = b"".join(orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS) + b"\n" for leaf in leaves)
        (Path(folder) / "events.jsonl").write_bytes(lines)
        corrections: dict[tuple[str, str], tuple[str, str]] = {}
        for leaf in leaves:
            if leaf["corrects"]:
                place, standing = (leaf["source"], leaf["corrects"]), (leaf["recorded_at"], leaf["event_id"])
                corrections[place] = max(standing, corrections.get(place, standing))
        tallies: dict[str, dict[str, list[int]]] = verifier.tallies(
            Path(folder), corrections, f"{YEAR}-01", f"{YEAR}-12"
        )
    units = [{"code": code, "path": f"/{COUNTY}/{code}/"} for code in tallies]
    above = {"code": COUNTY, "path": f"/{COUNTY}/"}
    states = verifier.answered_for(above, units, tallies, subtree=True)
    if not node.code:
        total: int | None = verifier.score(document, group, states)[0]
        return total
    named = next(one for one in _walk(document["nodes"]) if one.get("code") == node.code)
    earned: int = verifier.summed(document, named["children"], group, states)[3]
    return earned


def _orders(folder: Path, form: Form, history: Sequence[Any], chance: random.Random) -> int:
    """How many of the random orders of delivery, some of it delivered twice, end with other totals."""
    wanted: list[tuple[str, str, str]] | None = None
    different = 0
    for number in range(form.orders + 1):
        order = list(history)
        if number:
            chance.shuffle(order)
            order += chance.sample(order, len(order) // 10)
        place = folder / f"order-{number}"
        with opened(place, FixedClock(HISTORY_START + timedelta(days=400)), "") as app:
            units_told(app)
            deliver(app, order, None)
            totals = _totals(app)
        if wanted is None:
            wanted = totals
        different += totals != wanted
    return different


def _totals(app: Any) -> list[tuple[str, str, str]]:
    framework = app.frameworks.current()
    with app.store.reading() as session:
        units = assessed_units(session, framework)
        states = states_of(session, units, YEAR)
        found = {
            unit.code: roll_up_totals(framework, unit.group.id, states.get(unit.code, {})) for unit in units
        }
    return sorted(
        (code, "" if one.score is None else points_text(one.score), share_text(one.coverage))
        for code, one in found.items()
    )


def _verifier() -> ModuleType:
    path = Path(__file__).resolve().parents[3] / "verifier" / "fazhi_verify.py"
    spec = importlib.util.spec_from_file_location("fazhi_verify", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _document(app: Any, framework: Any) -> dict[str, Any]:
    with app.store.reading() as session:
        query = text("SELECT document FROM frameworks WHERE id = :id AND version = :version")
        written = session.execute(query, {"id": framework.id, "version": framework.version}).scalar_one()
    document: dict[str, Any] = orjson.loads(written)
    return document


def _walk(nodes: Sequence[dict[str, Any]]) -> Any:
    for node in nodes:
        yield node
        yield from _walk(node.get("children", ()))


def _plant(bug: str) -> None:
    """A bug that the proof must notice."""
    from services.assessment.scoring import log

    if bug == "forgets_corrections":
        vars(log)["_keys_touched_by_corrections"] = lambda *_: set()
    if bug == "last_arrival_wins":
        vars(log)["_GROWS"] = dict.fromkeys(vars(log)["_GROWS"], "replace")
