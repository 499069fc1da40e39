"""
`fazhi bench ranking`: what people wait for (ranking, intervals, explanation, as of, what if, replay), for a tenth of the
units and events and for all of them, beside DuckDB making the same scores from the same rows.

Five hundred departments hold a tenth of the events, five thousand all; they stand under a hundred counties, which
answer for them. Every answer comes from a process that has just started: nothing is remembered from before, except
where "again" is said.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import text

from contracts.roles import REVIEWER
from contracts.topology import ASSESSMENT_SCORED
from fazhi.bench import duck
from fazhi.bench.rebuild import COPIES, copy_to_all, take_a_tenth
from fazhi.bench.room import BenchFailed, Room, Trial, closing_runtime
from fazhi.bench.workload import Workload
from fazhi.services import build
from kernel.access.principal import Principal
from services.assessment.app import Assessment
from services.assessment.ranking.known import AsOf
from services.assessment.ranking.what_if import Moves
from services.assessment.scoring.tallies import assessed_units

T = TypeVar("T")
YEAR = "2026"
COUNTIES, DEPARTMENTS = "county_governments", "county_departments"
QUESTIONS = 200
NEAR = 1e-4  # points by which doubles may differ from exact integers
PROVINCE = Principal(account="bench", unit="15", unit_path="/15/", roles=frozenset({REVIEWER}))
UNDER_COUNTIES = text("""
    UPDATE units SET path = '/15/1500/15' || lpad(CAST(20 + CAST(substr(code, 5, 4) AS integer) % 100 AS text), 4, '0')
        || '/' || code || '/' WHERE path LIKE '/15/1501/%'
""")
COUNTY_ROWS = text("""
    INSERT INTO units SELECT '15' || lpad(CAST(20 + n AS text), 4, '0'), '县' || n, 1, 3, '1500',
        '/15/1500/15' || lpad(CAST(20 + n AS text), 4, '0') || '/', '150102', '', '', '2020-01-01', '', '', 1
    FROM generate_series(0, 99) AS n
""")


@dataclass(frozen=True, slots=True)
class Answers:
    """Seconds of every question at one size; `duckdb` is the peer, `scores` ours over the same rows."""

    events: int
    units: int
    scores: float
    duckdb: float
    page: float
    intervals_departments: float
    intervals_counties: float
    explanation_p50: float
    explanation_p95: float
    as_of_unit_p95: float
    as_of_counties: float
    as_of_counties_again: float
    month_counties: float
    advice: float
    what_if: float
    replay: float


def run(room: Room, events: int, seed: int) -> list[Answers]:
    """Ask a tenth, then all; raises BenchFailed where DuckDB's scores are not ours."""
    workload = Workload(events=events // (COPIES + 1), warm_up=0, seed=seed)
    with room.trial(workload, ASSESSMENT_SCORED.name) as trial:
        take_a_tenth(trial)
        tenth = _ask_everything(trial, seed)
        copy_to_all(trial)
        return [tenth, _ask_everything(trial, seed)]


def report(results: list[Answers]) -> list[dict[str, Any]]:
    """What is written as JSON."""
    return [
        {"name": "ranking", "duckdb_version": duck.version()}
        | {
            name: value if isinstance(value, int) else round(value, 4)
            for name in Answers.__annotations__
            for value in (getattr(each, name),)
        }
        for each in results
    ]


def _ask_everything(trial: Trial, seed: int) -> Answers:
    with closing_runtime(trial.folder, trial.url_of("assessment")) as runtime:
        app: Assessment = build("assessment", runtime).app
        with app.store.work() as work:
            work.session.execute(UNDER_COUNTIES)
            if not work.session.execute(text("SELECT 1 FROM units WHERE path = '/15/1500/150020/'")).first():
                work.session.execute(COUNTY_ROWS)
            work.commit()
        app.rebuild()
        framework = app.frameworks.current()
        with app.store.reading() as session:
            units = assessed_units(session, framework)
            events = session.execute(text("SELECT size FROM log_head")).scalar_one()
        scores = _timed(app.roll_up.everything)[0]
        peer = _beside(app, framework, units)
        draw = random.Random(seed)  # noqa: S311  a bench that draws the same questions every time
        departments = [unit.code for unit in units if unit.group.id == DEPARTMENTS]
        nodes = [node.code for node in framework.root.walk() if node.probes and DEPARTMENTS in node.points]
        asked = [(draw.choice(departments), draw.choice(nodes)) for _ in range(QUESTIONS)]
        half = AsOf(seq=events // 2)
        explained = sorted(_timed(partial(_explain, app, *one))[0] for one in asked)
        then = sorted(_timed(partial(_explain, app, *one, as_of=half))[0] for one in asked[: QUESTIONS // 4])
        return Answers(
            events=events,
            units=len(units),
            scores=scores,
            duckdb=peer,
            page=_timed(lambda: app.rankings.page(YEAR, DEPARTMENTS, offset=0, limit=100))[0],
            intervals_departments=_timed(lambda: app.rankings.intervals(YEAR, DEPARTMENTS))[0],
            intervals_counties=_timed(lambda: app.rankings.intervals(YEAR, COUNTIES))[0],
            explanation_p50=statistics.median(explained),
            explanation_p95=explained[int(len(explained) * 0.95)],
            as_of_unit_p95=then[int(len(then) * 0.95)],
            as_of_counties=_timed(lambda: _page_as_of(app, half))[0],
            as_of_counties_again=_timed(lambda: _page_as_of(app, half))[0],
            month_counties=_timed(lambda: app.rankings.page("2026-04", COUNTIES, offset=0, limit=100))[0],
            advice=_timed(lambda: app.analyses.advice(PROVINCE, departments[0], YEAR))[0],
            what_if=_timed(lambda: app.analyses.what_if(YEAR, COUNTIES, Moves(geometric=True)))[0],
            replay=_timed(lambda: app.replays.make(app.replays.question(framework, YEAR)))[0],
        )


def _explain(app: Assessment, unit: str, node: str, **more: Any) -> None:
    app.explanations.explain(PROVINCE, unit, YEAR, node, **more)


def _page_as_of(app: Assessment, as_of: AsOf) -> None:
    app.rankings.page(YEAR, COUNTIES, offset=0, limit=100, as_of=as_of)


def _beside(app: Assessment, framework: Any, units: Any) -> float:
    """DuckDB's seconds; its scores are held against ours."""
    with app.store.reading() as session:
        rows = session.execute(
            text(
                "SELECT unit, probe, passed, failed, graded_milli FROM probe_states WHERE period LIKE '2026-%'"
            )
        )
        states = [dict(row) for row in rows.mappings()]
        ours = {
            row.unit: row.score / 1e6
            for row in session.execute(text("SELECT unit, score FROM unit_scores WHERE score IS NOT NULL"))
        }
    listed = [(unit.code, unit.path, unit.group.id, unit.group.events == "subtree") for unit in units]
    seconds, theirs = duck.scores(framework, listed, states)
    if theirs.keys() != ours.keys() or any(abs(theirs[unit] - ours[unit]) > NEAR for unit in ours):
        raise BenchFailed("DuckDB 的得分与平台的得分不一致")
    return seconds


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    started = time.monotonic()
    made = act()
    return time.monotonic() - started, made
