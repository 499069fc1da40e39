"""
`fazhi bench rebuild`: all projections anew from the event log, for a tenth of the events and for all of them.

A tenth goes in through assessment's own door, so its states are known from taking the events one batch at a
time; the rest are copies of it for other units, made inside PostgreSQL, because filling is not what is measured.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from contracts.topology import ASSESSMENT_SCORED
from fazhi.bench.directory import department, enter
from fazhi.bench.effect import door_of
from fazhi.bench.room import BenchFailed, Room, Trial, closing_runtime
from fazhi.bench.workload import UNITS, Workload
from fazhi.services import build
from kernel.bus.port import Delivery

COPIES = 9
BATCH = 100
COPY = text("""
    INSERT INTO event_log (seq, event_id, unit, source, period, probe, outcome, score_milli, numerator, denominator, mode,
                           corrects, occurred_at, recorded_at, received_at, leaf, leaf_hash)
    SELECT seq + :after, gen_random_uuid(), unit || '-' || CAST(:copy AS text), source, period, probe, outcome,
           score_milli, numerator, denominator, mode, corrects, occurred_at, recorded_at, received_at, leaf, leaf_hash
    FROM event_log WHERE seq <= :size
""")
FINGERPRINT = (
    "SELECT md5(string_agg(p::text, ';' ORDER BY unit, period, probe)), "
    "sum(passed + failed + not_applicable + not_computable + not_due) FROM probe_states p"
)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One rebuild: what was there, what it took."""

    events: int
    states: int
    scores: int
    seconds: float
    peak_mb: float
    postgresql_peak_mb: float | None


def run(room: Room, events: int, seed: int) -> list[Rebuild]:
    """Rebuild a tenth, then all; raises BenchFailed when the states do not come out as they were."""
    workload = Workload(events=events // (COPIES + 1), warm_up=0, seed=seed)
    with room.trial(workload, ASSESSMENT_SCORED.name) as trial:
        take_a_tenth(trial)
        known = _fingerprint(trial)
        tenth = _measure(trial)
        if _fingerprint(trial) != known:
            raise BenchFailed("重建后的计数与逐批计数不一致")
        copy_to_all(trial)
        everything = _measure(trial)
        if _fingerprint(trial)[1] != workload.events * (COPIES + 1):
            raise BenchFailed("重建后的计数合计与事件数不一致")
    return [tenth, everything]


def report(results: list[Rebuild]) -> list[dict[str, Any]]:
    """What is written as JSON."""
    return [
        {
            "name": "rebuild",
            "events": each.events,
            "seconds": round(each.seconds, 2),
            "events_per_second": round(each.events / each.seconds, 1),
            "states": each.states,
            "scores": each.scores,
            "peak_mb": round(each.peak_mb, 1),
            "postgresql_peak_mb": each.postgresql_peak_mb and round(each.postgresql_peak_mb, 1),
        }
        for each in results
    ]


def take_a_tenth(trial: Trial) -> None:
    """The workload through assessment's own door."""
    with closing_runtime(trial.folder, trial.url_of("assessment")) as runtime:
        app = build("assessment", runtime).app
        enter(app.store, (department(_code(number)) for number in range(UNITS)))
        entry = door_of(app)
        batch: list[Delivery] = []
        for message in trial.workload.messages():
            batch.append(Delivery(message, redelivered=False))
            if len(batch) == BATCH:
                entry.take(batch)
                batch = []
        entry.take(batch)


def copy_to_all(trial: Trial) -> None:
    """Nine copies of the log for as many other units, made inside PostgreSQL."""
    size = trial.workload.events
    engine = create_engine(trial.url_of("assessment"), poolclass=NullPool)
    for copy in range(1, COPIES + 1):
        with engine.begin() as connection:
            connection.execute(COPY, {"after": copy * size, "copy": copy, "size": size})
            connection.execute(text("UPDATE log_head SET size = size + :size"), {"size": size})
    with closing_runtime(trial.folder, trial.url_of("assessment")) as runtime:
        units = (
            department(f"{_code(number)}-{copy}") for copy in range(1, COPIES + 1) for number in range(UNITS)
        )
        enter(build("assessment", runtime).app.store, units)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum leaves a database that grew over a year


def _measure(trial: Trial) -> Rebuild:
    process = trial.launch("fazhi.bench.measured", "rebuild", answers=True)
    said = process.communicate()[0]
    if process.returncode:
        raise BenchFailed(f"重建未完成：\n{trial.log.read_text()[-2000:]}")
    trial.processes.remove(process)
    found = orjson.loads(said)
    del found["peak_before_mb"]
    return Rebuild(**found)


def _fingerprint(trial: Trial) -> tuple[str, int]:
    with create_engine(trial.url_of("assessment"), poolclass=NullPool).connect() as connection:
        digest, total = connection.execute(text(FINGERPRINT)).one()
    return str(digest), int(total)


def _code(number: int) -> str:
    return f"1501{number:04d}"
