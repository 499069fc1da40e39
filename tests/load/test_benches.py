"""
The benches, short: they run on real servers, what they measure is complete, and the order of magnitude holds.

Only ratios with much room are asserted; the numbers themselves are in docs/benchmarks.md.
"""

import orjson
import pytest
from typer.testing import CliRunner

from fazhi.bench import events, ranking, rebuild, roll_up
from fazhi.bench.judge import judge
from fazhi.bench.room import BenchFailed, Room
from fazhi.cli import app


@pytest.fixture(scope="module")
def room(rabbitmq, postgresql, tmp_path_factory):
    return Room(rabbitmq, postgresql, tmp_path_factory.mktemp("bench"))


def test_ours_is_many_times_the_stock_handler_and_nobody_loses_an_event(room):
    contenders = [each for each in events.CONTENDERS if each.is_installed]
    results = events.run(
        room, contenders, events=2000, per_message=10, seed=7, rounds=1, done=lambda line: None
    )
    written = orjson.loads(orjson.dumps(events.report(results, room.versions())))
    rates = {result["name"]: result["events_per_second"] for result in written["results"]}
    assert list(rates) == [each.name for each in contenders]
    assert rates["fazhi"] > 3 * rates["nameko_event_handler"]
    assert rates["consume_only"] > rates["fazhi"]


def test_a_number_is_void_when_an_event_is_missing_or_doubled(room):
    contender = next(each for each in events.CONTENDERS if each.name == "sql_without_broker")
    workload = contender.workload(1000, 10, 7)
    with room.trial(workload, contender.queue) as trial:
        contender.measure(trial)
        judge(trial)
        trial.workload = contender.workload(1010, 10, 7)
        with pytest.raises(BenchFailed, match="应计"):
            judge(trial)
        trial.workload = contender.workload(1000, 10, 8)
        with pytest.raises(BenchFailed, match="合计不符"):
            judge(trial)


def test_a_contender_that_dies_is_reported_with_its_last_words(room):
    contender = next(each for each in events.CONTENDERS if each.name == "aio_pika_batch")
    with room.trial(contender.workload(100, 10, 7), contender.queue) as trial:
        trial.launch("fazhi.bench.no_such_module").wait(20)
        with pytest.raises(BenchFailed, match="no_such_module"):
            trial.wait_until_committed(1)


def test_a_rebuild_gives_the_same_states_and_its_memory_does_not_grow_with_the_log(room):
    tenth, everything = rebuild.run(room, 20_000, seed=7)
    assert (tenth.events, everything.events) == (2_000, 20_000)
    assert everything.states == 10 * tenth.states
    assert everything.scores == 10 * tenth.scores == 5_000
    assert everything.peak_mb < tenth.peak_mb + 50


def test_a_roll_up_scores_every_unit_and_a_change_is_seen_at_once(room):
    found = roll_up.run(room, 300)
    assert (found.units, found.results) == (300, 231)
    assert found.change_milliseconds < 5_000


def test_an_unknown_contender_is_refused_with_the_names_that_are_known():
    done = CliRunner().invoke(app, ["bench", "events", "--only", "rumour"])
    assert done.exit_code == 2
    assert "sql_without_broker" in done.output


def test_duckdb_makes_the_same_scores_from_the_same_rows_and_the_past_is_remembered(room):
    tenth, everything = ranking.run(room, 10_000, seed=7)
    assert (tenth.units, everything.units) == (600, 5_100)
    assert everything.as_of_counties_again < everything.as_of_counties
