"""A framework is published only if everything in it adds up; every fault names its place."""

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.catalog import read
from services.assessment.framework.rules import (
    FULL_MARKS,
    FrameworkInvalid,
    PeerGroup,
    micro,
    parse,
    parse_peer_groups,
)

CATALOG = Path(__file__).parents[3] / "catalog"
TOWNS = PeerGroup("towns", "乡镇", frozenset({"township"}), frozenset({"township"}))
COUNTIES = PeerGroup("counties", "县", frozenset({"government"}), frozenset({"county"}))


def leaf(code, points, **more):
    return {
        "code": code,
        "title": f"成果{code}",
        "points": points,
        "method": {"kind": "ratio"},
        "service": "enforcement",
        "evidence": "平台数据",
        **more,
    }


def document():
    return {
        "id": "small",
        "version": "1",
        "title": "小体系",
        "year": 2026,
        "sample": True,
        "notice": "样例数据",
        "levels": ["aspect", "measure", "result"],
        "counts": {"aspect": 1, "measure": 2, "result": 3},
        "peer_groups": ["towns", "counties"],
        "nodes": [
            {
                "code": "A1",
                "title": "方面",
                "points": {"towns": "100", "counties": "100"},
                "children": [
                    {
                        "code": "A1.M1",
                        "title": "措施一",
                        "children": [
                            leaf("A1.M1.R1", {"towns": "33.333333", "counties": "60"}, probes=["P-1"]),
                            leaf("A1.M1.R2", {"towns": "33.333333"}, probes=["P-2"], veto_below="0.9"),
                        ],
                    },
                    {
                        "code": "A1.M2",
                        "title": "措施二",
                        "children": [leaf("A1.M2.R1", {"towns": "33.333334", "counties": "40"})],
                    },
                ],
            }
        ],
    }


def parsed(doc):
    return parse(doc, peer_groups=[TOWNS, COUNTIES], probes=["P-1", "P-2"])


def problems(doc):
    with pytest.raises(FrameworkInvalid) as refused:
        parsed(doc)
    return {(p.path, p.code) for p in refused.value.problems}


def test_a_sound_document_becomes_a_framework():
    framework = parsed(document())
    assert framework.root.points == {"towns": FULL_MARKS, "counties": FULL_MARKS}
    assert [node.code for node in framework.results()] == ["A1.M1.R1", "A1.M1.R2", "A1.M2.R1"]
    assert framework.node("A1.M1").points == {"towns": 66_666_666, "counties": 60_000_000}
    assert framework.node("A1.M1.R2").veto_below_milli == 900
    assert framework.peer_group_of("township", "township") is TOWNS
    assert framework.peer_group_of("government", "province") is None


def first(doc):
    return doc["nodes"][0]["children"][0]["children"][0]


R1 = "nodes[0].children[0].children[0]"


@pytest.mark.parametrize(
    ("break_it", "path", "code"),
    [
        (lambda d: first(d)["points"].update(towns="33.3"), "nodes", "total_not_100"),
        (lambda d: first(d)["points"].update(towns="33.3"), "nodes[0].points.towns", "points_do_not_add_up"),
        (lambda d: first(d)["points"].update(towns="0.0000001"), f"{R1}.points.towns", "points"),
        (lambda d: first(d)["points"].update(towns=33.3), f"{R1}.points.towns", "points"),
        (lambda d: first(d)["points"].update(towns="-1"), f"{R1}.points.towns", "points"),
        (lambda d: first(d)["points"].update(cities="1"), f"{R1}.points.cities", "unknown_peer_group"),
        (lambda d: d["peer_groups"].append("cities"), "peer_groups[2]", "unknown_peer_group"),
        (
            lambda d: first(d).update(code="A1.M2.R1"),
            "nodes[0].children[1].children[0].code",
            "duplicate_code",
        ),
        (lambda d: first(d).update(probes=["P-9"]), f"{R1}.probes[0]", "unknown_probe"),
        (
            lambda d: first(d).update(probes=["P-2"]),
            "nodes[0].children[0].children[1].probes[0]",
            "probe_bound_twice",
        ),
        (lambda d: d["counts"].update(result=231), "counts.result", "count_mismatch"),
        (lambda d: first(d).update(method={"kind": "guess"}), f"{R1}.method.kind", "unknown_method"),
        (lambda d: first(d).update(method={"kind": "deduct"}), f"{R1}.method.step", "step"),
        (
            lambda d: first(d).update(method={"kind": "ratio", "floor": "0.9", "target": "0.9"}),
            f"{R1}.method.target",
            "target_not_above_floor",
        ),
        (lambda d: first(d).update(title=" "), f"{R1}.title", "text"),
        (lambda d: first(d).pop("service"), f"{R1}.service", "text"),
        (lambda d: first(d).update(basis=[{"document": "行政处罚法"}]), f"{R1}.basis[0].article", "text"),
        (lambda d: first(d).update(children=[leaf("X", {"towns": "1"})]), f"{R1}.children", "too_deep"),
        (lambda d: d.pop("notice"), "notice", "text"),
        (lambda d: d.update(year="2026"), "year", "year"),
        (lambda d: d.update(levels=["result"]), "levels", "levels"),
        (lambda d: d["nodes"][0].update(probes=["P-1"]), "nodes[0].probes", "not_a_result"),
        (lambda d: first(d).update(probes=[], veto_below="1"), f"{R1}.veto_below", "veto_without_probe"),
        (lambda d: first(d).update(veto_below="1.2"), f"{R1}.veto_below", "rate"),
    ],
)
def test_a_fault_is_found_where_it_is(break_it, path, code):
    doc = deepcopy(document())
    break_it(doc)
    assert (path, code) in problems(doc)


def test_all_faults_are_told_at_once():
    doc = document()
    first(doc).update(title="", probes=["P-9"])
    doc["counts"]["measure"] = 7
    assert {code for _, code in problems(doc)} >= {"text", "unknown_probe", "count_mismatch"}


def test_a_document_that_contains_itself_is_refused_and_not_followed_for_ever():
    doc = document()
    doc["nodes"][0]["children"].append(doc["nodes"][0])
    assert "duplicate_code" in {code for _, code in problems(doc)}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in steps:
        yield from places(child, (*path, key))


@settings(max_examples=300)
@given(st.data(), anything, st.booleans())
def test_whatever_stands_in_a_document_it_is_read_or_refused_in_words(data, wrong, flat):
    doc = TestRows().rows() if flat else document()
    *way, last = data.draw(st.sampled_from(list(places(doc))[1:]))
    holder = doc
    for step in way:
        holder = holder[step]
    holder[last] = wrong
    told = refusal(doc)
    assert told is None or (told and all(problem.code and problem.message for problem in told))


def refusal(doc):
    try:
        parsed(doc)
    except FrameworkInvalid as refused:
        return refused.problems
    return None


def test_what_is_no_document_is_refused():
    assert problems([]) == {("", "mapping")}


class TestRows:
    """The same tree as a workbook has it: one row a node, with the code of its parent."""

    def rows(self):
        found = []

        def flat(node, parent):
            found.append({k: v for k, v in node.items() if k != "children"} | {"parent": parent})
            for child in node.get("children", ()):
                flat(child, node["code"])

        doc = document()
        for node in doc.pop("nodes"):
            flat(node, "")
        return doc | {"rows": found}

    def test_flat_rows_make_the_same_tree(self):
        assert parsed(self.rows()).root == parsed(document()).root

    def test_rows_in_a_circle_are_told(self):
        doc = self.rows()
        doc["rows"][0]["parent"] = "A1.M1.R1"
        assert ("rows[0].parent", "cycle") in problems(doc)

    def test_a_row_below_a_row_of_its_own_code_is_told(self):
        doc = self.rows()
        doc["rows"].append({"code": "A1", "title": "自身", "parent": "A1"})
        assert "duplicate_code" in {code for _, code in problems(doc)}

    def test_a_fault_in_a_row_is_told_at_the_row(self):
        doc = self.rows()
        doc["rows"][2]["points"]["towns"] = "0"
        assert doc["rows"][2]["code"] == "A1.M1.R1"
        assert ("rows[2].points.towns", "points") in problems(doc)

    def test_a_row_without_its_parent_is_told(self):
        doc = self.rows()
        doc["rows"][1]["parent"] = "A9"
        assert ("rows[1].parent", "no_parent") in problems(doc)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.5", 1_500_000), ("100", 100_000_000), (3, 3_000_000), ("0.000001", 1), ("0.33", 330_000)],
)
def test_decimals_become_micro_points_exactly(value, expected):
    assert micro(value) == expected


@pytest.mark.parametrize("value", ["1.2345678", "1,5", "-1", "1e3", "", None, 0.5, True, "１"])
def test_anything_else_is_no_decimal(value):
    assert micro(value) is None


class TestShipped:
    def framework(self, name):
        groups = parse_peer_groups(read(CATALOG / "frameworks/peer_groups.yaml").data)
        probes = [probe["id"] for probe in read(CATALOG / "codes/probes.yaml").data["probes"]]
        return parse(read(CATALOG / f"frameworks/{name}.yaml").data, peer_groups=groups, probes=probes)

    def test_the_outline_has_8_aspects_129_measures_231_results(self):
        framework = self.framework("outline-2015-2020")
        assert [framework.count(level) for level in framework.levels] == [8, 129, 231]
        by_aspect = [
            (len(a.children), sum(len(m.children) for m in a.children)) for a in framework.root.children
        ]
        assert by_aspect == [(28, 48), (16, 30), (18, 34), (20, 38), (17, 28), (13, 24), (9, 15), (8, 14)]
        assert len({node.title for node in framework.results()}) == 231
        assert len(framework.peer_groups) == 6
        assert set(framework.root.points.values()) == {FULL_MARKS}
        assert framework.sample
        assert "样例" in framework.notice

    def test_the_outline_binds_every_probe(self):
        probes = {probe["id"] for probe in read(CATALOG / "codes/probes.yaml").data["probes"]}
        assert self.framework("outline-2015-2020").probes() == probes

    def test_the_demonstration_framework_has_36_indicators_under_9(self):
        framework = self.framework("demonstration-city-county")
        assert [framework.count(level) for level in framework.levels] == [9, 36]
        assert set(framework.root.points.values()) == {FULL_MARKS}

    def test_a_unit_belongs_to_one_group_at_most(self):
        groups = parse_peer_groups(read(CATALOG / "frameworks/peer_groups.yaml").data)
        kinds = ("government", "department", "township", "authorised", "dispatched")
        for kind in kinds:
            for level in ("province", "city", "county", "township"):
                assert sum(group.admits(kind, level) for group in groups) <= 1

    def test_overlapping_groups_are_refused(self):
        rows = [{"id": i, "title": "县", "kinds": ["government"], "levels": ["county"]} for i in ("a", "b")]
        with pytest.raises(FrameworkInvalid, match="framework_invalid"):
            parse_peer_groups({"peer_groups": rows})
