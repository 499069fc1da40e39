"""Whole procedures handed in after the fact: taken as they were, once, in a stream."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from contracts.events.v1.scored_pb2 import OUTCOME_FAIL
from fazhi.province import Province
from kernel.access.principal import SYSTEM
from kernel.errors import Invalid
from kernel.storage.migrate import is_current, is_said_by_models, upgrade
from services.decisions.tables import Base
from tests.integration.decisions.conftest import CITY, STRANGER, Desk

YEAR_END = datetime(2026, 12, 31, 4, tzinfo=UTC)


def made(province: Province) -> list[dict[str, Any]]:
    return [
        {"number": one.number, "unit": one.unit, "title": one.title, "facts": one.facts}
        for one in province.decisions()
    ]


def found(desk: Desk) -> set[tuple[str, str, str]]:
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT id, unit, number FROM procedures"))
        keys = {f"decisions/decisions/{row.id}": (row.unit, row.number) for row in rows}
    return {(*keys[e.subject], e.probe) for e in desk.events() if e.outcome == OUTCOME_FAIL}


@pytest.mark.parametrize("seed", [1, 5])
def test_every_planted_fault_of_a_city_is_found_and_no_other(desk: Desk, seed: int) -> None:
    province = Province(seed, "city")
    desk.clock.set(YEAR_END)
    dossiers = made(province)
    report = desk.app.intake.load(SYSTEM, iter(dossiers))
    assert (report.added, report.known, report.differing) == (len(dossiers), 0, [])
    planted = {
        (truth.unit, truth.key, truth.probe)
        for truth in province.truths()
        if truth.subject == "decision" and truth.expected == "fail"
    }
    assert len(planted) > 10
    assert found(desk) == planted


def test_handing_in_again_changes_nothing_and_names_what_differs(desk: Desk) -> None:
    desk.clock.set(YEAR_END)
    dossiers = made(Province(1, "county"))
    desk.app.intake.load(SYSTEM, dossiers)
    told = len(desk.events())
    dossiers[0]["title"] += "（修改）"
    report = desk.app.intake.load(SYSTEM, dossiers)
    assert (report.added, report.known, report.differing) == (0, len(dossiers), [dossiers[0]["number"]])
    assert len(desk.events()) == told


def a_dossier(**changes: Any) -> dict[str, Any]:
    facts = {"proposal": {"source": "leader", "date": "2026-01-05"}, "decided_on": "2026-05-18"}
    return {"number": "1号", "unit": "150102", "title": "停车方案", "facts": facts} | changes


def as_lines(*bodies: Any) -> bytes:
    return b"\n".join(orjson.dumps(body) for body in bodies)


class TestFiles:
    @pytest.fixture(autouse=True)
    def after_the_fact(self, desk: Desk) -> None:
        desk.clock.set(YEAR_END)

    def test_two_lines_of_one_number_are_one_decision_and_the_other_is_named(self, desk: Desk) -> None:
        lines = as_lines(a_dossier(), a_dossier(), a_dossier(title="另一方案"))
        report = desk.app.intake.import_lines(CITY, lines)
        assert (report.added, report.known, report.differing) == (1, 2, ["1号"])
        assert desk.app.register.page(CITY).rows[0].title == "停车方案"

    def test_what_is_yet_to_happen_is_not_taken_in(self, desk: Desk) -> None:
        proposed = {"source": "leader", "date": "2026-01-05"}
        early = a_dossier(facts={"proposal": proposed, "decided_on": "2099-05-18"})
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_lines(CITY, as_lines(early))
        assert [(one.path, one.code) for one in refused.value.problems] == [("[1].facts", "decisions.future")]

    def test_all_lines_or_none(self, desk: Desk) -> None:
        bad = a_dossier(number="2号", facts={"proposal": {"source": "nobody", "date": "2026-13-05"}})
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_lines(CITY, as_lines(a_dossier(), bad) + b"\n{oops")
        places = [problem.path for problem in refused.value.problems]
        assert places == ["[2].facts.proposal.source", "[2].facts.proposal.date", "[3]"]
        assert desk.app.register.page(CITY).total == 0

    def test_foreign_units_are_unknown_units(self, desk: Desk) -> None:
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_lines(STRANGER, as_lines(a_dossier()))
        assert refused.value.problems[0].code == "decisions.unknown_unit"

    def test_an_empty_file_is_said_so(self, desk: Desk) -> None:
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_lines(CITY, b"\n \n")
        assert refused.value.stable_code == "decisions.empty_file"

    def test_files_in_gbk_are_read(self, desk: Desk) -> None:
        desk.app.intake.import_lines(CITY, as_lines(a_dossier()).decode().encode("gb18030"))
        assert desk.app.register.page(CITY).rows[0].title == "停车方案"

    def test_a_nul_is_refused_before_it_reaches_the_database(self, desk: Desk) -> None:
        with pytest.raises(Invalid) as refused:
            desk.app.intake.import_lines(CITY, as_lines(a_dossier(title="a\x00b")))
        assert refused.value.problems[0].code == "decisions.bad_character"

    def test_names_of_members_are_not_kept(self, desk: Desk) -> None:
        meeting = {
            "type": "executive",
            "date": "2026-05-18",
            "members": [{"id": "M1", "name": "张三", "post": "head"}],
            "present": ["M1"],
        }
        dossier = a_dossier()
        dossier["facts"]["meeting"] = meeting
        desk.app.intake.import_lines(CITY, as_lines(dossier))
        with desk.app.store.reading() as session:
            bodies = session.execute(text("SELECT body FROM steps")).scalars().all()
        assert bodies
        assert not any("张三" in body for body in bodies)


def test_models_and_migrations_agree_and_migrating_again_is_harmless(desk: Desk) -> None:
    database = desk.app.store.database
    upgrade(database, "services.decisions")
    assert is_current(database, "services.decisions")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_said_by_models})
        assert compare_metadata(context, Base.metadata) == []
