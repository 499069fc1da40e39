"""
`fazhi bench rollup`: scoring a whole province once, and how soon one unit's change can be seen.

Every unit has findings for every probe the framework binds, in one month. The change goes in through
assessment's own door and is seen when the unit's score carries it; the worker looks every half second
(services/assessment/worker.py), which comes on top.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import select

from contracts.topology import ASSESSMENT_SCORED
from fazhi.bench.directory import enter, province
from fazhi.bench.effect import door_of
from fazhi.bench.room import BenchFailed, Room, Trial, closing_runtime
from fazhi.bench.workload import Workload
from fazhi.services import build
from kernel.bus.port import Delivery
from kernel.storage.setwise import write_rows
from services.assessment.app import Assessment
from services.assessment.scoring.log import COUNTS, SPAN
from services.assessment.scoring.model import PROBE_STATES, UNIT_SCORES

PERIOD = "2026-03"
ROWS_A_STATEMENT = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """What scoring a province took."""

    units: int
    results: int
    states: int
    seconds: float
    peak_mb: float
    change_milliseconds: float


def run(room: Room, units: int) -> Found:
    """Score every unit once, then one unit's change; raises BenchFailed when scores are missing."""
    trial_of_one = room.trial(Workload(events=1, warm_up=0, per_message=1), ASSESSMENT_SCORED.name)
    with trial_of_one as trial, closing_runtime(trial.folder, trial.url_of("assessment")) as runtime:
        app: Assessment = build("assessment", runtime).app
        enter(app.store, province(units))
        framework = app.frameworks.current()
        states = _fill(app, [unit.code for unit in province(units)], sorted(framework.probes()))
        everything = _score_everything(trial)
        if everything["scores"] != units:
            raise BenchFailed(f"应有 {units} 个得分，实有 {everything['scores']}")
        change = _see_a_change(app, trial.workload)
    results = sum(not node.children for node in framework.root.walk())
    return Found(units, results, states, everything["seconds"], everything["peak_mb"], change * 1000)


def report(found: Found) -> dict[str, Any]:
    """What is written as JSON."""
    return {
        "name": "rollup",
        "units": found.units,
        "results": found.results,
        "states": found.states,
        "seconds": round(found.seconds, 2),
        "peak_mb": round(found.peak_mb, 1),
        "change_visible_milliseconds": round(found.change_milliseconds, 1),
    }


def _fill(app: Assessment, units: list[str], probes: list[str]) -> int:
    rows = _states(units, probes)
    written = 0
    while part := list(islice(rows, ROWS_A_STATEMENT)):
        with app.store.work() as work:
            write_rows(work.session, PROBE_STATES, part)
            work.commit()
        written += len(part)
    return written


def _states(units: list[str], probes: list[str]) -> Iterator[dict[str, Any]]:
    for place, unit in enumerate(units):
        for number, probe in enumerate(probes):
            passed, failed = 8 + place % 3, (place + number) % 4
            counts = dict.fromkeys(COUNTS, 0) | {
                "passed": passed,
                "failed": failed,
                "graded_milli": 1000 * passed,
                "entered": passed + failed,
            }
            yield {"unit": unit, "period": PERIOD, "probe": probe, **counts, **dict.fromkeys(SPAN, 1)}


def _score_everything(trial: Trial) -> dict[str, Any]:
    process = trial.launch("fazhi.bench.measured", "rollup", answers=True)
    said = process.communicate()[0]
    if process.returncode:
        raise BenchFailed(f"汇总未完成：\n{trial.log.read_text()[-2000:]}")
    trial.processes.remove(process)
    found: dict[str, Any] = orjson.loads(said)
    return found


def _see_a_change(app: Assessment, workload: Workload) -> float:
    unit = next(unit.code for unit in province(200) if "-" in unit.code)
    before = _findings(app, unit)
    entry = door_of(app)
    message = workload.about(unit).messages()[0]
    started = time.monotonic()
    entry.take([Delivery(message, redelivered=False)])
    app.roll_up.catch_up()
    seconds = time.monotonic() - started
    if _findings(app, unit) == before:
        raise BenchFailed("变化没有进入得分")
    return seconds


def _findings(app: Assessment, unit: str) -> int:
    with app.store.reading() as session:
        query = select(UNIT_SCORES.c.at_seq).where(UNIT_SCORES.c.unit == unit)
        return int(session.execute(query).scalar_one())
