"""What the items make out of 100 points: sums, scaling, veto, bands; and what a template file must hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from contracts.findings import Verdict, failed, graded, not_applicable, not_computable, not_due, passed
from kernel.catalog import CatalogInvalid
from services.decisions.conformance.rules.items import items
from services.decisions.conformance.rules.scoring import Result, result_of
from services.decisions.conformance.service import Conformance
from services.decisions.conformance.template import load_templates, parse
from tests.support.decisions import CATALOG, calendar, look, procedure, template

FILE = CATALOG / "templates" / "major-decision-26.yaml"


def result(**verdicts: Verdict) -> Result:
    """All items pass, except those named DEC_06=..."""
    said = {item.id: passed() for item in template().items}
    said |= {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return result_of(template().items, template().bands, said)


def test_the_template_has_7_points_15_indicators_26_items_and_100_points() -> None:
    found = template().items
    assert len({item.point for item in found}) == 7
    assert len({item.indicator for item in found}) == 15
    assert len(found) == 26
    assert sum(item.points_milli for item in found) == 100_000
    assert [item.id for item in found if item.veto] == ["DEC-20", "DEC-23"]


def test_every_item_cites_the_articles_of_the_template() -> None:
    for item in template().items:
        assert tuple(basis.article for basis in items().probes[item.id].basis) == item.articles, item.id


def test_all_passed_is_one_hundred() -> None:
    whole = result()
    assert (whole.score_milli, whole.coverage_milli, whole.vetoed) == (100_000, 1000, ())
    assert whole.band is not None
    assert whole.band.title == "优秀"


@pytest.mark.parametrize(
    ("verdict", "score", "coverage"),
    [
        (failed("x"), 94_000, 1000),
        (graded(500, "x"), 97_000, 1000),
        (not_applicable("x"), 100_000, 1000),
        (not_computable("x"), 100_000, 940),
        (not_due("x"), 100_000, 940),
    ],
)
def test_only_pass_and_fail_move_the_score(verdict: Verdict, score: int, coverage: int) -> None:
    found = result(DEC_06=verdict)
    assert (found.score_milli, found.coverage_milli) == (score, coverage)


def test_what_does_not_apply_scales_the_rest_to_one_hundred() -> None:
    # 8 points of the hearing leave; 6 of the remaining 92 are lost: 86/92 = 93.478...
    hearing = dict.fromkeys(("DEC_07", "DEC_08", "DEC_09"), not_applicable("未举行听证"))
    assert result(**hearing, DEC_06=failed("x")).score_milli == 93_478


@pytest.mark.parametrize("item", ["DEC_20", "DEC_23"])
def test_a_failed_veto_item_disqualifies_whatever_the_sum(item: str) -> None:
    found = result(**{item: failed("x")})
    assert found.score_milli is not None
    assert found.score_milli > 90_000
    assert found.vetoed == (item.replace("_", "-"),)
    assert found.band is not None
    assert found.band.title == "不合格"


@pytest.mark.parametrize("verdict", [not_computable("x"), not_due("x"), graded(1000, "x")])
def test_a_veto_needs_a_failure(verdict: Verdict) -> None:
    assert result(DEC_20=verdict).vetoed == ()


@pytest.mark.parametrize(
    ("lost", "band"),
    [
        (("DEC_06", "DEC_10"), "优秀"),  # 90
        (("DEC_06", "DEC_19"), "良好"),  # 89
        (("DEC_06", "DEC_19", "DEC_15", "DEC_10"), "良好"),  # 80
        (("DEC_06", "DEC_19", "DEC_15", "DEC_10", "DEC_09"), "合格"),  # 78
    ],
)
def test_bands_begin_at_their_own_score(lost: tuple[str, ...], band: str) -> None:
    found = result(**dict.fromkeys(lost, failed("x"))).band
    assert found is not None
    assert found.title == band


def test_nothing_known_is_no_score() -> None:
    verdicts = {item.id: not_computable("x") for item in template().items}
    found = result_of(template().items, template().bands, verdicts)
    assert (found.score_milli, found.coverage_milli, found.band) == (None, 0, None)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("id: DEC-26\n", "id: DEC-27\n", "decisions.template_items"),
        ('points: "6"', 'points: "7"', "decisions.template_sum"),
        ('days_least: 30, shortened_score: "0.5"', "days_least: 30", "decisions.template_setting"),
        ('at_least: "90"', "at_most: 90", "decisions.template"),
    ],
)
def test_a_faulty_template_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, code: str
) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "t.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogInvalid) as refused:
        load_templates(tmp_path)
    assert code in {problem.code for problem in refused.value.problems}
    assert all("t.yaml:" in problem.path for problem in refused.value.problems)


def test_a_pinned_copy_reads_like_the_file() -> None:
    data = yaml.safe_load(template().body)
    again = parse(data)
    assert (again.items, again.settings, again.bands) == (
        template().items,
        template().settings,
        template().bands,
    )
    assert again.digest == template().digest


def test_numbers_come_from_the_template_of_the_province() -> None:
    stricter = {**template().settings, "DEC-06": {"days_least": 45, "shortened_score": 500}}
    seen = look()
    strict = type(seen)(seen.procedure, stricter, seen.calendar, seen.today)
    assert items().probes["DEC-06"].rule(seen).outcome.name == "PASS"
    assert items().probes["DEC-06"].rule(strict).outcome.name == "FAIL"


def test_a_report_that_is_overdue_is_looked_for_on_the_day_after_its_own_period() -> None:
    """Executing unit named twenty days after the decision: the days to report run from there."""
    said = template()
    said = replace(said, settings={**said.settings, "DEC-26": {"report_within_days": 90}})
    judges = Conformance((said,), calendar())
    late = procedure(without=("execution_reported",), execution_assigned={"on": "2026-06-07"})
    looked, next_look = date(2026, 7, 1), None
    outcome = ""
    while looked is not None:
        outcome = judges.judge(late, said, looked).verdicts["DEC-26"].outcome.name
        looked, next_look = judges.next_look(late, said, looked), looked
    assert (outcome, next_look) == ("FAIL", date(2026, 9, 6))
