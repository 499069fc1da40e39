"""The shipped catalog: every file is readable, complete, and agrees with the files and contracts it names."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from contracts.clues.v1.clues_pb2 import Clue, ClueKind, ClueState
from kernel.calendar import load_years
from kernel.catalog import read

CATALOG = Path(__file__).parents[3] / "catalog"
LAWS = Path(__file__).parents[4] / "shared/data/laws"


def data(name):
    return read(CATALOG / name).data


def bases(value):
    if isinstance(value, dict):
        if {"document", "version", "article"} <= value.keys():
            yield value
        for child in value.values():
            yield from bases(child)
    elif isinstance(value, list):
        for child in value:
            yield from bases(child)


FILES = sorted(str(path.relative_to(CATALOG)) for path in CATALOG.rglob("*.yaml"))
OURS = [
    name for name in FILES if name.split("/")[0] in {"clocks", "codes", "frameworks", "powers", "templates"}
]
CLOCKS = [(name, clock) for name in FILES if name.startswith("clocks/") for clock in data(name)["clocks"]]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_readable(name):
    assert data(name)


@pytest.mark.parametrize("name", OURS)
def test_invented_data_says_so_in_its_notice(name):
    found = data(name)
    if found.get("sample"):
        assert found["notice"].startswith("样例数据")
        assert "样例数据" in (CATALOG / name).read_text("utf-8").splitlines()[0] or "draft" in (
            CATALOG / name
        ).read_text("utf-8")


@pytest.mark.skipif(not LAWS.exists(), reason="the texts of laws are not beside this checkout")
@pytest.mark.parametrize("name", OURS)
def test_every_article_cited_exists_in_the_text_of_that_version(name):
    missing = []
    for basis in bases(data(name)):
        texts = list(LAWS.glob(f"*/{basis['document']}({basis['version']}).md"))
        article = basis["article"]
        if texts and not re.search(rf"^{article}\s", texts[0].read_text("utf-8"), re.MULTILINE):
            missing.append(basis)
    assert missing == []


class TestClocks:
    def test_ids_are_unique(self):
        ids = [clock["id"] for _, clock in CLOCKS]
        assert len(ids) == len(set(ids))

    @pytest.mark.parametrize(("name", "clock"), CLOCKS, ids=[clock["id"] for _, clock in CLOCKS])
    def test_a_clock_is_complete(self, name, clock):
        assert isinstance(clock["days"], int)
        assert clock["days"] > 0
        assert clock["unit"] in {"working", "calendar", "month", "year"}
        assert clock["source"] in {"verified", "unverified", "setting"}
        assert isinstance(clock["valid_from"], date)
        assert clock["basis"].keys() == {"document", "version", "article"}
        assert clock["from"]
        assert clock["title"]
        known = {
            "id",
            "title",
            "days",
            "unit",
            "from",
            "basis",
            "valid_from",
            "valid_to",
            "source",
            "note",
            "extension",
            "roll_forward",
            "suspends",
            "silence",
            "direction",
            "at_least",
        }
        assert clock.keys() <= known

    @pytest.mark.parametrize(
        ("id", "days", "unit"),
        [
            ("penalty.decide", 90, "calendar"),
            ("penalty.serve", 7, "working"),
            ("penalty.hand_in", 2, "working"),
            ("publicity.licence_penalty", 7, "working"),
            ("publicity.other", 20, "working"),
            ("licence.decide", 20, "working"),
            ("reconsideration.acceptance", 5, "working"),
            ("reconsideration.decide_ordinary", 60, "calendar"),
            ("reconsideration.decide_simple", 30, "calendar"),
            ("reconsideration.answer_ordinary", 10, "working"),
            ("reconsideration.answer_simple", 5, "working"),
            ("decision.hearing_material", 7, "calendar"),
            ("decision.legality_review", 7, "working"),
            ("decision.public_comment", 30, "calendar"),
            ("arbitration.accept", 5, "calendar"),
        ],
    )
    def test_the_periods_of_the_statutes(self, id, days, unit):
        clock = next(clock for _, clock in CLOCKS if clock["id"] == id)
        assert (clock["days"], clock["unit"]) == (days, unit)


class TestDecisionTemplate:
    def items(self):
        return [
            (point, indicator, item)
            for point in data("templates/major-decision-26.yaml")["points"]
            for indicator in point["indicators"]
            for item in indicator["items"]
        ]

    def test_it_has_7_points_15_indicators_26_items_and_100_points(self):
        template = data("templates/major-decision-26.yaml")
        items = self.items()
        assert len(template["points"]) == 7
        assert len({indicator["id"] for _, indicator, _ in items}) == 15
        assert [item["id"] for *_, item in items] == [f"DEC-{n:02}" for n in range(1, 27)]
        assert sum(int(item["points"]) for *_, item in items) == 100
        by_point = {}
        for point, _, item in items:
            by_point[point["id"]] = by_point.get(point["id"], 0) + int(item["points"])
        assert list(by_point.values()) == [12, 22, 12, 13, 19, 11, 11]

    def test_conditional_and_veto_items_are_those_of_the_draft(self):
        items = [item for *_, item in self.items()]
        assert [i["id"] for i in items if i.get("veto")] == ["DEC-20", "DEC-23"]
        conditional = {i["id"] for i in items if "applies_when" in i}
        assert conditional == {f"DEC-{n:02}" for n in (7, 8, 9, 11, 12, 13, 14, 15, 16, 17)}

    def test_every_item_is_a_probe(self):
        probes = {p["id"] for p in data("codes/probes.yaml")["probes"] if p["service"] == "decisions"}
        assert {item["id"] for *_, item in self.items()} == probes


def words(enum, prefix):
    names = enum.DESCRIPTOR.values_by_name
    return {name.removeprefix(prefix).lower() for name in names} - {"unspecified"}


class TestLinks:
    @pytest.mark.parametrize("system", ["petition", "hotline", "litigation"])
    def test_every_field_goes_somewhere_in_the_clue(self, system):
        link = data(f"links/{system}.yaml")
        clue = {field.name for field in Clue.DESCRIPTOR.fields}
        own = {"occurred_at": "occurred_at_us", "due_at": "due_at_us"}
        assert link["system"] == system
        assert {"external_id", "title", "occurred_at", "region_code"} <= {f["to"] for f in link["fields"]}
        for field in link["fields"]:
            target = field["to"]
            assert target == "drop" or target.startswith("attribute:") or own.get(target, target) in clue
        names = [name for f in link["fields"] for name in (f["from"], *f.get("aliases", ()))]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("system", ["petition", "hotline", "litigation"])
    def test_kinds_states_and_routes_are_those_of_the_contract(self, system):
        link = data(f"links/{system}.yaml")
        kinds, states = words(ClueKind, "CLUE_KIND_"), words(ClueState, "CLUE_STATE_")
        assert {rule["kind"] for rule in link["kinds"]} <= kinds
        assert link["routing"].keys() == kinds
        assert set(link["routing"].values()) == {"enforcement", "disputes"}
        assert link["answer"]["states"].keys() == states
        attributes = {f["to"].removeprefix("attribute:"): f for f in link["fields"]}
        for rule in link["kinds"]:
            for attribute, values in rule["when"].items():
                if attribute != "words":
                    assert set(values) <= set(attributes[attribute]["codes"].values())

    def test_court_results_are_codes_of_disputes(self):
        outcomes = {code["code"] for code in data("codes/disputes.yaml")["lists"]["litigation_outcomes"]}
        grounds = {code["code"] for code in data("codes/disputes.yaml")["lists"]["grounds"]}
        fields = {f["to"]: f for f in data("links/litigation.yaml")["fields"]}
        assert set(fields["attribute:outcome"]["codes"].values()) == outcomes
        assert set(fields["attribute:ground"]["codes"].values()) <= grounds

    @pytest.mark.parametrize("system", ["petition", "hotline", "litigation"])
    def test_a_persons_name_and_number_never_pass_the_door(self, system):
        for field in data(f"links/{system}.yaml")["fields"]:
            if field["type"] == "person":
                assert field["to"] in {"drop", "person_hash"}


class TestPowers:
    def test_items_are_unique_and_lie_in_known_fields(self):
        powers = data("powers/sample-power-list.yaml")
        fields = {code["code"] for code in data("codes/fields.yaml")["codes"]}
        kinds = {code["code"] for code in data("codes/enforcement.yaml")["lists"]["act_kinds"]}
        codes = [item["code"] for item in powers["items"]]
        assert len(codes) == len(set(codes))
        assert len(codes) >= 60
        for item in powers["items"]:
            assert item["field"] in fields
            assert item["kind"] in kinds
            assert item["hearing"] in {"threshold", "never"}
            assert item["review"] in {"ordinary", "major", "never"}
            assert set(item["levels"]) <= {"province", "city", "county", "township"}
            assert item["basis"]
            assert item["field"] in powers["thresholds"]["fields"]

    def test_the_fields_of_the_made_up_province_are_known(self):
        fields = {code["code"] for code in data("codes/fields.yaml")["codes"]} | {""}
        with (CATALOG / "province/departments.csv").open(encoding="utf-8") as rows:
            assert {row["field"] for row in csv.DictReader(rows)} <= fields

    def test_the_seven_integrated_fields_all_have_items(self):
        integrated = {c["code"] for c in data("codes/fields.yaml")["codes"] if c["integrated"]}
        assert len(integrated) == 7
        assert integrated <= {item["field"] for item in data("powers/sample-power-list.yaml")["items"]}


class TestCodes:
    @pytest.mark.parametrize("name", [n for n in FILES if n.startswith("codes/")])
    def test_no_code_is_given_twice(self, name):
        found = data(name)
        lists = found.get("lists") or {key: found[key] for key in ("codes", "probes") if key in found}
        for codes in lists.values():
            ids = [code.get("code") or code["id"] for code in codes]
            assert len(ids) == len(set(ids))

    def test_outcomes_of_reconsideration_and_litigation(self):
        lists = data("codes/disputes.yaml")["lists"]
        assert [c["code"] for c in lists["reconsideration_outcomes"]] == [f"RF{n:02}" for n in range(1, 15)]
        assert [c["code"] for c in lists["litigation_outcomes"]] == [f"LT{n:02}" for n in range(1, 13)]
        corrected = [c["code"] for c in lists["reconsideration_outcomes"] if c["corrected"] == "yes"]
        assert corrected == ["RF03", "RF04", "RF05", "RF06", "RF07", "RF10", "RF14"]

    def test_the_columns_of_the_enforcement_import_use_these_codes(self):
        lists = data("codes/enforcement.yaml")["lists"]
        columns = {c["field"]: c for c in data("imports/enforcement_cases.yaml")["columns"]}
        for field, kind in (
            ("penalty_kinds", "penalty_kinds"),
            ("procedure", "procedures"),
            ("review_result", "review_results"),
            ("recording", "recording"),
        ):
            assert set(columns[field]["codes"].values()) == {code["code"] for code in lists[kind]}


def test_shipped_calendar_files_are_sound():
    folder = CATALOG / "calendars"
    assert len(load_years(folder)) == len(list(folder.glob("*.yaml")))
