"""Cases handed in after the fact: over their clocks as at the time, once, in a stream."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from contracts.events.v1.scored_pb2 import OUTCOME_FAIL, OUTCOME_NOT_DUE
from fazhi.province import Province
from kernel.access.principal import SYSTEM
from kernel.clock import start_of_day
from kernel.errors import Invalid
from kernel.storage.migrate import is_current, is_said_by_models, upgrade
from services.disputes.tables import Base
from tests.integration.disputes.conftest import CITY, OFFICE, STRANGER, Desk


def made(province: Province) -> list[dict[str, Any]]:
    return [
        {
            "number": one.number,
            "review_unit": one.review_unit,
            "respondent": one.respondent,
            "facts": one.facts,
        }
        for one in province.reconsiderations()
    ]


@pytest.fixture(autouse=True)
def after_the_fact(request: pytest.FixtureRequest, desk: Desk) -> None:
    """What is handed in after the fact has happened; a case that goes on by hand has not yet."""
    if "goes_on_by_hand" not in request.node.name:
        desk.clock.set(datetime(2026, 7, 1, 4, tzinfo=UTC))


@pytest.mark.parametrize("seed", [1, 5])
def test_every_planted_truth_of_a_city_is_found_and_no_other_fault(desk: Desk, seed: int) -> None:
    province = Province(seed, "city")
    desk.clock.set(start_of_day(province.frame.until))
    dossiers = made(province)
    report = desk.app.intake.load(SYSTEM, iter(dossiers))
    assert (report.added, report.known, report.differing) == (len(dossiers), 0, [])
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT id, number FROM cases"))
        numbers = {f"disputes/reconsiderations/{row.id}": row.number for row in rows}
    told = {(e.unit, numbers[e.subject], e.probe, e.outcome) for e in desk.events()}
    truths = [truth for truth in province.truths() if truth.subject == "reconsideration" and truth.probe]
    outcomes = {"fail": OUTCOME_FAIL, "not_due": OUTCOME_NOT_DUE}
    planted = {(truth.unit, truth.key, truth.probe, outcomes[truth.expected]) for truth in truths}
    assert len(planted) > 20
    assert planted <= told
    assert {one for one in told if one[3] == OUTCOME_FAIL} == {
        one for one in planted if one[3] == OUTCOME_FAIL
    }


def a_dossier(**facts: Any) -> dict[str, Any]:
    given = {"received_on": "2026-03-04", "accepted_on": "2026-03-06"} | facts
    return {"number": "青复〔2026〕9号", "review_unit": "150102", "respondent": "150102-scjg", "facts": given}


def as_lines(*bodies: Any) -> bytes:
    return b"\n".join(orjson.dumps(body) for body in bodies)


def test_silence_falls_where_it_fell_at_the_time(desk: Desk) -> None:
    desk.clock.set(datetime(2026, 7, 1, 4, tzinfo=UTC))
    silent = a_dossier(accepted_on=None, copied_on="2026-03-16", decided_on="2026-05-11", outcome="RF08")
    desk.app.intake.import_lines(CITY, as_lines(silent))
    (row,) = desk.app.register.page(OFFICE).rows
    one = desk.app.register.one(OFFICE, row.id)
    assert [(e.step.kind, e.actor) for e in one.log][1] == ("deemed_accepted", "system")
    assert (row.deemed, row.in_time) == (True, True)


def test_a_case_taken_in_goes_on_by_hand(desk: Desk) -> None:
    desk.app.intake.import_lines(CITY, as_lines(a_dossier(accepted_on=None)))
    (row,) = desk.app.register.page(OFFICE).rows
    desk.record(row.id, {"kind": "accepted", "on": "2026-03-06"})
    assert desk.app.register.one(OFFICE, row.id).row.state == "accepted"


def test_handing_in_again_changes_nothing_and_names_what_differs(desk: Desk) -> None:
    desk.app.intake.import_lines(CITY, as_lines(a_dossier()))
    told = len(desk.events())
    again = desk.app.intake.import_lines(CITY, as_lines(a_dossier()))
    assert (again.added, again.known, again.differing) == (0, 1, [])
    changed = desk.app.intake.import_lines(CITY, as_lines(a_dossier(accepted_on="2026-03-09")))
    assert (changed.added, changed.differing) == (0, ["青复〔2026〕9号"])
    assert len(desk.events()) == told


def test_two_lines_of_one_number_in_one_file_are_one_case_and_the_other_is_named(desk: Desk) -> None:
    lines = as_lines(a_dossier(), a_dossier(), a_dossier(accepted_on="2026-03-09"))
    report = desk.app.intake.import_lines(CITY, lines)
    assert (report.added, report.known, report.differing) == (1, 2, ["青复〔2026〕9号"])
    assert str(desk.app.register.page(OFFICE).rows[0].accepted_on) == "2026-03-06"


def test_what_is_yet_to_happen_is_not_taken_in(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        desk.app.intake.import_lines(
            CITY, as_lines(a_dossier(), a_dossier(decided_on="2026-07-02", outcome="RF08"))
        )
    assert [(one.path, one.code) for one in refused.value.problems] == [("[2].facts", "disputes.future")]


def test_all_lines_or_none(desk: Desk) -> None:
    bad = a_dossier(
        outcome="RF99", decided_on="2026-05-11", suspensions=[{"from": "2026-04-01", "reason": "??"}]
    )
    worse = a_dossier(received_on="yesterday")
    with pytest.raises(Invalid) as refused:
        desk.app.intake.import_lines(CITY, as_lines(a_dossier(), bad, worse) + b"\n[")
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["[2].facts.reason", "[2].facts.outcome", "[3].facts.received_on", "[4]"]
    assert desk.app.register.page(CITY).total == 0


def test_files_in_gbk_are_read_and_files_in_nothing_known_are_refused(desk: Desk) -> None:
    report = desk.app.intake.import_lines(CITY, as_lines(a_dossier()).decode().encode("gb18030"))
    assert report.added == 1
    assert desk.app.register.page(OFFICE).rows[0].number == "青复〔2026〕9号"
    with pytest.raises(Invalid) as refused:
        desk.app.intake.import_lines(CITY, b"\xff\xff\xff")
    assert refused.value.stable_code == "disputes.encoding"


def test_a_nul_is_refused_before_it_reaches_the_database(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        desk.app.intake.import_lines(CITY, as_lines(a_dossier(act="a\x00b")))
    assert refused.value.problems[0].code == "disputes.bad_character"


def test_a_case_opened_by_hand_is_known_to_the_file(desk: Desk) -> None:
    desk.open(number="青复〔2026〕9号")
    report = desk.app.intake.import_lines(CITY, as_lines(a_dossier()))
    assert (report.added, report.differing) == (0, ["青复〔2026〕9号"])
    assert desk.app.register.page(OFFICE).total == 1


def test_foreign_organs_are_unknown_organs(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        desk.app.intake.import_lines(STRANGER, as_lines(a_dossier()))
    assert refused.value.problems[0].code == "disputes.unknown_organ"


def test_models_and_migrations_agree_and_migrating_again_is_harmless(desk: Desk) -> None:
    database = desk.app.store.database
    upgrade(database, "services.disputes")
    assert is_current(database, "services.disputes")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_said_by_models})
        assert compare_metadata(context, Base.metadata) == []
