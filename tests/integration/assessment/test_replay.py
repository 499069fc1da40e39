"""Replay: another framework over the same events, aside from everything that is kept."""

import io

import orjson
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from services.assessment.framework.writing import document_of
from tests.integration.assessment.test_as_of import (
    GROUP,
    UNITS,
    Door,
    door,
    first_events,
    later_events,
)

__all__ = ["door"]


def replayed(door: Door, **asked):
    answer = door.post("/replays", {"period": "2026", **asked})
    assert answer.status_code == 202, answer.text
    assert door.fed.app.replays.make_waiting()
    assert not door.fed.app.replays.make_waiting()
    return answer.json()["id"]


def projections(door):
    with door.fed.app.store.reading() as session:
        return [
            session.execute(text("SELECT * FROM probe_states ORDER BY 1, 2, 3")).fetchall(),
            session.execute(text("SELECT * FROM unit_scores ORDER BY 1, 2, 3")).fetchall(),
        ]


def stricter(door):
    """The framework in force with another way of measuring every ratio, as a new version."""
    document = orjson.loads(orjson.dumps(document_of(door.fed.app.frameworks.current())))
    document["version"] = "9"

    def walk(nodes):
        for node in nodes:
            if "ENF-TIM-01" in node.get("probes", ()):
                node["method"] = {"kind": "ratio", "floor": "0.85", "target": "1"}
            walk(node.get("children", ()))

    walk(document["nodes"])
    return document


def test_under_the_framework_in_force_it_is_the_ranking_byte_for_byte(door):
    later_events(door, first_events(door))
    current = door.fed.app.frameworks.current()
    now = door.ask("/rankings", period="2026", peer_group=GROUP).content
    replay = replayed(door, framework=current.id, version=current.version)
    assert door.ask(f"/replays/{replay}/ranking", peer_group=GROUP).content == now
    report = door.ask(f"/replays/{replay}/report", peer_group=GROUP).json()
    assert [row["rank_change"] for row in report["rows"]] == [0] * len(UNITS)
    assert all(row["before"] == row["after"] and row["reasons"] == [] for row in report["rows"])


def test_a_version_published_before_the_catalogue_changed_is_replayed_still(door):
    frameworks = door.fed.app.frameworks
    current = frameworks.current()
    frameworks.probe_titles = {}  # none of its probes is known any more
    replay = replayed(door, framework=current.id, version=current.version)
    assert door.ask(f"/replays/{replay}").json()["state"] == "done"


def test_another_framework_says_who_moves_and_why_and_touches_nothing(door):
    later_events(door, first_events(door))
    before, kept = door.shown(), projections(door)
    replay = replayed(door, document=stricter(door))
    told = door.ask(f"/replays/{replay}").json()
    assert (told["state"], told["done"] == told["total"] > 0) == ("done", True)
    rows = door.ask(f"/replays/{replay}/report", peer_group=GROUP).json()["rows"]
    (row,) = [row for row in rows if row["unit"]["code"] == UNITS[1]]
    assert float(row["after"]["score"]) < float(row["before"]["score"])
    change = sum(round(float(reason["change"]) * 1e6) for reason in row["reasons"])
    assert change == round((float(row["after"]["score"]) - float(row["before"]["score"])) * 1e6)
    (group,) = [g for g in told["summary"] if g["peer_group"]["id"] == GROUP]
    assert group["results_without_data"]
    assert (door.shown(), projections(door)) == (before, kept)


def test_made_again_it_says_the_same(door):
    later_events(door, first_events(door))
    one, other = (replayed(door, document=stricter(door)) for _ in range(2))
    reports = [
        [door.ask(f"/replays/{r}/{page}", peer_group=GROUP).content for page in ("report", "ranking")]
        for r in (one, other)
    ]
    assert reports[0] == reports[1]


def test_the_report_can_be_taken_home(door):
    first_events(door)
    replay = replayed(door, document=stricter(door))
    whole = door.ask(f"/replays/{replay}/report.json").json()
    assert {row["unit"]["code"] for row in whole["groups"][GROUP]} == set(UNITS)
    book = door.ask(f"/replays/{replay}/report.xlsx").content
    assert book[:2] == b"PK"
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["单位代码", "单位名称"]
    assert {row[0] for row in rows[1:]} == set(UNITS)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "assessment.replay_source"),
        ({"framework": "outline-2015-2020", "version": "77"}, "assessment.no_such_framework"),
        ({"draft": "01990000-0000-7000-8000-000000000000"}, "assessment.unknown_draft"),
        ({"document": {"id": "x"}}, "assessment.framework_invalid"),
    ],
)
def test_what_cannot_be_replayed_is_refused(door, asked, code):
    answer = door.post("/replays", {"period": "2026", **asked})
    assert answer.json()["code"] == code
    assert door.ask("/replays").json()["rows"] == []


def test_a_replay_left_by_a_dead_process_is_taken_up_again(door):
    first_events(door)
    answer = door.post("/replays", {"period": "2026", "document": stricter(door)})
    with door.fed.app.store.work() as work:
        work.session.execute(text("UPDATE replays SET state = 'running'"))
        work.commit()
    assert not door.fed.app.replays.make_waiting()
    door.clock.set(door.clock.now().replace(hour=23))
    assert door.fed.app.replays.make_waiting()
    assert door.ask(f"/replays/{answer.json()['id']}").json()["state"] == "done"
