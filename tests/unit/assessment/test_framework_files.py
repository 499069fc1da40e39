"""A framework goes out as a workbook or YAML and comes back the same; what is odd about a file is told by its cell."""

import io
from pathlib import Path

import pytest
import xlsxwriter
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.catalog import read
from kernel.errors import Invalid
from services.assessment.framework.comparing import compare
from services.assessment.framework.rules import FrameworkInvalid, parse, parse_peer_groups
from services.assessment.framework.values import PeerGroup
from services.assessment.framework.workbook import COLUMNS, read_workbook, workbook_of
from services.assessment.framework.writing import canonical, document_of, yaml_of

CATALOG = Path(__file__).parents[3] / "catalog"
FRAMEWORKS = CATALOG / "frameworks"
NAMES = ("outline-2015-2020", "demonstration-city-county", "composite-50-30-20")


def shipped(name):
    outline = read(FRAMEWORKS / "outline-2015-2020.yaml").data
    groups = parse_peer_groups(read(FRAMEWORKS / "peer_groups.yaml").data)
    return parse(
        read(FRAMEWORKS / f"{name}.yaml").data,
        peer_groups=groups,
        frameworks={"outline-2015-2020@1": outline},
    )


TOWNS = PeerGroup("towns", "乡镇", frozenset({"township"}), frozenset({"township"}))


def small(**changes):
    """Two aspects of one result each."""

    def result(code, points):
        return {
            "code": code,
            "title": f"成果{code}",
            "points": {"towns": points},
            "method": {"kind": "ratio", "floor": "0.6"},
            "service": "assessment",
            "evidence": "自报材料",
        }

    return {
        "id": "small",
        "version": "1",
        "title": "小体系",
        "year": 2026,
        "levels": ["aspect", "result"],
        "peer_groups": [
            {"id": "towns", "title": "乡镇", "kinds": ["township"], "levels": ["township"], "events": "own"}
        ],
        "nodes": [
            {"code": "A1", "title": "方面一", "children": [result("A1.R1", "60")]},
            {"code": "A2", "title": "方面二", "children": [result("A2.R1", "40")]},
        ],
        **changes,
    }


class TestRoundTrip:
    @pytest.mark.parametrize("name", NAMES)
    def test_what_is_shipped_comes_back_the_same_from_workbook_yaml_and_bytes(self, name):
        document = document_of(shipped(name))
        text = canonical(document)
        assert canonical(document_of(parse(read_workbook(workbook_of(document)).document))) == text
        assert canonical(document_of(parse(yaml.load(yaml_of(document), yaml.CSafeLoader)))) == text
        assert canonical(document_of(parse(yaml.load(text, yaml.CSafeLoader)))) == text

    words = st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1
    ).filter(lambda text: text.strip() and "_x" not in text and len(text) < 60)

    @settings(max_examples=40, deadline=None)
    @given(words, words, st.integers(1, 99_999_999), st.integers(1, 999), st.booleans())
    def test_whatever_words_and_numbers_stand_in_it(self, title, evidence, points, share, measured):
        document = small()
        one, other = (node["children"][0] for node in document["nodes"])
        one["title"], one["evidence"] = title, evidence
        one["points"] = {"towns": f"{points // 10**6}.{points % 10**6:06}"}
        rest = 100 * 10**6 - points
        other["points"] = {"towns": f"{rest // 10**6}.{rest % 10**6:06}"}
        one["method"] = {"kind": "ratio", "floor": f"0.{share - 1:03}", "measured": measured}
        written = document_of(parse(document))
        back = document_of(parse(read_workbook(workbook_of(written)).document))
        assert canonical(back) == canonical(written)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("version", "第一版"),
            ("version", "1" * 21),
            ("title", "长" * 201),
            ("levels", ["方面，一级", "成果"]),
            ("notice", "响铃\a"),
            ("notice", "无\ufffe此字"),
            ("notice", "长" * 5001),
            ("basis", [{"document": "甲｜乙", "version": "2026", "article": "第一条"}]),
            ("basis", [{"document": "甲", "version": "2026", "article": "第一条\n第二条"}]),
        ],
    )
    def test_what_a_database_or_a_workbook_could_not_carry_is_refused_when_it_is_handed_in(
        self, place, value
    ):
        document = handed_in(**{place: value})
        with pytest.raises(FrameworkInvalid) as refused:
            parse(document, peer_groups=[TOWNS], probes=(), fields=())
        assert [problem.path.split("[")[0] for problem in refused.value.problems] == [place]

    @settings(max_examples=25, deadline=None)
    @given(
        *[
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(lambda text: f"甲{text}")
            for _ in range(5)
        ]
    )
    def test_whatever_is_taken_in_comes_back_the_same(self, title, service, evidence, document, article):
        written = handed_in(basis=[{"document": document, "version": "1", "article": article}])
        result = written["nodes"][0]["children"][0]
        result |= {"title": title, "service": service, "evidence": evidence}
        try:
            taken = document_of(parse(written, peer_groups=[TOWNS], probes=(), fields=()))
        except FrameworkInvalid:
            return
        assert document_of(parse(read_workbook(workbook_of(taken)).document)) == taken
        assert document_of(parse(yaml.load(yaml_of(taken), yaml.CSafeLoader))) == taken

    @pytest.mark.parametrize(
        "method",
        [
            {"kind": "ratio", "floor": "0.6"},
            {"kind": "reviewed", "floor": "0.6"},
            {"kind": "checklist", "target": "0.9"},
        ],
    )
    def test_a_line_is_not_held_twice_against_what_is_reported(self, method):
        document = handed_in()
        document["nodes"][0]["children"][0]["method"] = method
        with pytest.raises(FrameworkInvalid):
            parse(document, peer_groups=[TOWNS], probes=(), fields=())


def handed_in(**changes):
    """The small framework as somebody hands it in: groups by name, and marks held against no line."""
    document = small(**changes, peer_groups=["towns"])
    for node in document["nodes"]:
        node["children"][0]["method"] = {"kind": "reviewed"}
    return document


def workbook(**cells):
    """The small framework as a workbook, with cells of the sheet of nodes overwritten: {(row, key): value}."""
    document = document_of(parse(small()))
    return edited(document, cells.get("nodes", {}), cells.get("act"))


def edited(document, cells, act=None):
    """The sheets of a document written again by hand, so that a cell may be anything."""
    import python_calamine as calamine

    source = calamine.CalamineWorkbook.from_filelike(io.BytesIO(workbook_of(document)))
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        for name in source.sheet_names:
            sheet = book.add_worksheet(name)
            for line, row in enumerate(source.get_sheet_by_name(name).to_python()):
                for column, cell in enumerate(row):
                    sheet.write_string(line, column, str(cell))
            if name == "指标":
                for (line, key), value in cells.items():
                    sheet.write(line, list(COLUMNS).index(key), value)
            if act:
                act(name, sheet)
    return packed.getvalue()


def faults(content):
    """(place, code) of every problem, whether the workbook or the document in it is refused."""
    try:
        handed = read_workbook(content)
    except Invalid as refused:
        return [(problem.path, problem.code) for problem in refused.problems]
    with pytest.raises(FrameworkInvalid) as refused:
        parse(handed.document, probes=["P-1"], fields=["justice"])
    return [(p.path, p.code) for p in handed.located(refused.value.problems).problems]


class TestOddWorkbooks:
    @pytest.mark.parametrize(
        ("cells", "place", "code"),
        [
            ({(2, "code"): 3.5}, "指标!A3", "not_text"),
            ({(2, "title"): "=1+1"}, "指标!C3", "formula"),
            ({(2, "parent"): "A9"}, "指标!B3", "no_parent"),
            ({(1, "parent"): "A1.R1"}, "指标!B2", "cycle"),
            ({(2, "kind"): "guess"}, "指标!J3", "unknown_method"),
            ({(2, "floor"): "2"}, "指标!K3", "rate"),
            ({(2, "probes"): "P-9"}, "指标!P3", "unknown_probe"),
            ({(2, "lead"): "astronomy"}, "指标!G3", "unknown_field"),
            ({(3, "code"): "A1"}, "分值!A4", "unknown_code"),
        ],
    )
    def test_a_fault_is_told_at_its_cell(self, cells, place, code):
        assert (place, code) in faults(workbook(nodes=cells))

    def test_points_that_do_not_add_up_are_told_at_the_sheet_of_points(self):
        def act(name, sheet):
            if name == "分值":
                sheet.write_string(4, 1, "41")

        found = faults(workbook(act=act))
        assert ("分值", "total_not_100") in found
        assert ("分值!B4", "points_do_not_add_up") in found

    def test_numbers_typed_as_numbers_are_taken_where_numbers_belong(self):
        def act(name, sheet):
            if name == "分值":
                for line, value in ((1, 60), (2, 60), (3, 40), (4, 40)):
                    sheet.write_number(line, 1, value)

        assert parse(read_workbook(workbook(act=act)).document).root.points == {"towns": 100_000_000}

    @pytest.mark.parametrize(
        ("act", "code"),
        [
            (
                lambda name, sheet: name == "指标" and sheet.set_row(2, None, None, {"hidden": True}),
                "hidden_row",
            ),
            (lambda name, sheet: name == "类别" and sheet.merge_range(4, 0, 5, 1, "x"), "merged"),
            (lambda name, sheet: name == "分值" and sheet.hide(), "hidden_sheet"),
            (lambda name, sheet: name == "分值" and sheet.write_formula(9, 0, "=1"), "formula"),
        ],
    )
    def test_what_a_reader_would_not_see_is_refused(self, act, code):
        with pytest.raises(Invalid) as refused:
            read_workbook(workbook(act=act))
        told = {problem.code for problem in refused.value.problems} | {
            refused.value.stable_code.split(".")[1]
        }
        assert code in told


class TestCompare:
    def changes(self, change):
        old = small()
        new = small()
        change(new)
        return compare(parse(old), parse(new), {"justice": "司法行政"})

    def test_nothing_changed_is_no_difference(self):
        assert self.changes(lambda _: None) == []

    def test_points_are_told_by_group_and_exactly(self):
        def change(new):
            new["nodes"][0]["children"][0]["points"]["towns"] = "60.5"
            new["nodes"][1]["children"][0]["points"]["towns"] = "39.5"

        found = self.changes(change)
        assert [(one.code, one.kind, one.group, one.before, one.after) for one in found] == [
            ("A1.R1", "points", "towns", "60 分", "60.5 分"),
            ("A2.R1", "points", "towns", "40 分", "39.5 分"),
        ]
        assert found[0].sentence == "A1.R1“成果A1.R1”对乡镇的分值由“60 分”改为“60.5 分”。"

    def test_a_node_that_moved_is_not_one_that_went_and_one_that_came(self):
        def change(new):
            moved = new["nodes"][1]["children"].pop()
            new["nodes"][0]["children"].append(moved)
            del new["nodes"][1]

        assert [(one.kind, one.code) for one in self.changes(change)] == [
            ("moved", "A2.R1"),
            ("removed", "A2"),
        ]

    def test_who_leads_and_how_it_is_scored_are_told_in_words(self):
        def change(new):
            leaf = new["nodes"][0]["children"][0]
            leaf["lead"] = "justice"
            leaf["method"] = {"kind": "reviewed"}

        assert [one.sentence for one in self.changes(change)] == [
            (
                "A1.R1“成果A1.R1”的计分方法由“比率法：符合率达到 100% 得满分，不高于 60% 不得分，其间按比例计分。”"
                "改为“评审法：按评审得分的平均值计分。”。"
            ),
            "A1.R1“成果A1.R1”的牵头领域由“无”改为“司法行政”。",
        ]

    def test_what_is_counted_instead_of_findings_is_told(self):
        def change(new):
            new["nodes"][0]["children"][0]["method"] |= {"measured": True}

        (told,) = self.changes(change)
        assert told.kind == "method"
        assert told.after == f"{told.before}（按数量计算）"

    def test_a_result_added_says_what_it_is_worth(self):
        def change(new):
            new["nodes"][0]["children"][0]["points"]["towns"] = "50"
            added = {**new["nodes"][0]["children"][0], "code": "A1.R2", "points": {"towns": "10"}}
            new["nodes"][0]["children"].append(added)

        found = [one for one in self.changes(change) if one.kind == "added"]
        assert [one.sentence for one in found] == ["增加A1.R2“成果A1.R1”（乡镇 10 分）。"]
