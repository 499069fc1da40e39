"""Every probe says pass, fail, not applicable, not computable or not due where its article says so."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.findings import Outcome
from kernel.catalog import read
from kernel.clock import start_of_day
from services.enforcement.cases.rules.basis import parse_bases
from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.law import KnownDocument, Term
from services.enforcement.probes import BY_KIND, PROBES, CaseFacts, look
from services.enforcement.registry.rules import BodyOnDay, PowerOnList
from tests.support.enforcement import (
    CATALOG,
    EVERYTHING,
    a_certificate,
    a_licence,
    a_major_penalty,
    a_penalty,
    a_simple_penalty,
    an_inspection,
    facts,
    the_law,
)

PASS, FAIL = Outcome.PASS, Outcome.FAIL
NA, NC, NOT_DUE = Outcome.NOT_APPLICABLE, Outcome.NOT_COMPUTABLE, Outcome.NOT_DUE


def ask(probe: str, seen: CaseFacts | CaseRecord) -> Outcome:
    case_facts = seen if isinstance(seen, CaseFacts) else facts(seen)
    return PROBES.probes[probe].rule(case_facts).outcome


def silent_on(*fields: str) -> dict[str, Any]:
    """A source that has no column for these fields."""
    empty: dict[str, Any] = dict.fromkeys(fields)
    for name in ("officer_certificates", "recording"):
        if name in fields:
            empty[name] = ()
    for name in ("certificate_shown", "recording_required", "review_result", "power_item"):
        if name in fields:
            empty[name] = ""
    return {**empty, "given": EVERYTHING - set(fields)}


LAWFUL = {
    "penalty": a_penalty(),
    "major penalty": a_major_penalty(),
    "simple penalty": a_simple_penalty(),
    "licence": a_licence(),
    "inspection": an_inspection(),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_a_lawful_case_fails_nothing_and_leaves_nothing_open(name: str) -> None:
    found = {finding.probe: finding.outcome for finding in look(facts(LAWFUL[name]))}
    assert set(found.values()) <= {PASS, NA}
    assert list(found.values()).count(PASS) >= 6


@pytest.mark.parametrize(
    ("probe", "seen", "expected"),
    [
        # body and powers
        ("ENF-SUB-01", facts(a_penalty(), body=None), FAIL),
        ("ENF-SUB-01", facts(a_penalty(), body=BodyOnDay(False, "market", "", "委托期限已届满")), FAIL),
        ("ENF-SUB-02", facts(a_penalty(), power=None), FAIL),
        ("ENF-SUB-02", facts(a_penalty(), power=None, has_power_list=False), NC),
        ("ENF-SUB-02", facts(a_penalty(), power=PowerOnList("licence", "market", "major", "")), FAIL),
        ("ENF-SUB-02", a_penalty(power_item=""), NC),
        # officers
        ("ENF-OFF-01", a_penalty(officer_certificates=("15000001",)), FAIL),
        ("ENF-OFF-01", a_penalty(officer_certificates=()), FAIL),
        ("ENF-OFF-01", a_penalty(**silent_on("officer_certificates")), NC),
        ("ENF-OFF-01", a_simple_penalty(officer_certificates=("15000001",)), FAIL),
        ("ENF-OFF-02", a_penalty(**silent_on("officer_certificates")), NC),
        ("ENF-OFF-03", a_penalty(certificate_shown="no"), FAIL),
        ("ENF-OFF-03", a_penalty(certificate_shown=""), NC),
        # procedure
        ("ENF-PRO-01", a_penalty(), NA),
        ("ENF-PRO-01", a_simple_penalty(fine_yuan=Decimal(200)), PASS),
        ("ENF-PRO-01", a_simple_penalty(fine_yuan=Decimal("200.01")), FAIL),
        ("ENF-PRO-01", a_simple_penalty(party_kind="organisation", fine_yuan=Decimal(3000)), PASS),
        ("ENF-PRO-01", a_simple_penalty(party_kind="organisation", fine_yuan=Decimal(3001)), FAIL),
        ("ENF-PRO-01", a_simple_penalty(fine_yuan=None), NC),
        ("ENF-PRO-01", a_simple_penalty(penalty_kinds=("warning",), fine_yuan=None), PASS),
        ("ENF-PRO-01", a_simple_penalty(penalty_kinds=("warning", "confiscate_goods")), FAIL),
        ("ENF-PRO-03", a_penalty(notified_on=date(2026, 3, 13)), PASS),
        ("ENF-PRO-03", a_penalty(notified_on=date(2026, 3, 14)), FAIL),
        ("ENF-PRO-03", a_penalty(notified_on=None), FAIL),
        ("ENF-PRO-03", a_penalty(**silent_on("notified_on")), NC),
        ("ENF-PRO-03", a_simple_penalty(notified_on=None), NA),
        ("ENF-PRO-05", a_penalty(), NA),
        ("ENF-PRO-05", a_major_penalty(), PASS),
        ("ENF-PRO-05", a_major_penalty(hearing_notified_on=None), FAIL),
        ("ENF-PRO-05", a_major_penalty(**silent_on("hearing_notified_on")), NC),
        ("ENF-PRO-05", a_penalty(fine_yuan=None), NC),
        ("ENF-PRO-05", a_penalty(penalty_kinds=("revoke_licence",), fine_yuan=None), FAIL),
        ("ENF-PRO-05", a_penalty(penalty_kinds=("fine", "confiscate_income")), NC),
        ("ENF-PRO-05", a_simple_penalty(), NA),
        ("ENF-REV-01", a_penalty(reviewed_on=None, review_result=""), NA),
        ("ENF-REV-01", a_major_penalty(), PASS),
        ("ENF-REV-01", a_major_penalty(reviewed_on=None, review_result=""), FAIL),
        ("ENF-REV-01", a_major_penalty(review_result="refused"), FAIL),
        ("ENF-REV-01", a_major_penalty(reviewed_on=date(2026, 3, 16)), FAIL),
        ("ENF-REV-01", a_major_penalty(review_result=""), NC),
        ("ENF-REV-01", a_major_penalty(**silent_on("reviewed_on", "review_result")), NC),
        ("ENF-REV-01", a_penalty(hearing_held_on=date(2026, 3, 9), reviewed_on=None, review_result=""), FAIL),
        ("ENF-REV-01", a_simple_penalty(), NA),
        ("ENF-REV-03", a_penalty(), NA),
        ("ENF-REV-03", a_major_penalty(), PASS),
        ("ENF-REV-03", a_major_penalty(discussed_on=None), FAIL),
        ("ENF-REV-03", a_major_penalty(**silent_on("discussed_on")), NC),
        # record
        ("ENF-REC-01", a_penalty(recording=("audio_visual",)), FAIL),
        ("ENF-REC-01", a_penalty(recording=()), FAIL),
        ("ENF-REC-01", a_penalty(**silent_on("recording")), NC),
        ("ENF-REC-02", a_penalty(recording_required="yes"), FAIL),
        ("ENF-REC-02", a_penalty(recording_required="yes", recording=("text", "audio_visual")), PASS),
        ("ENF-REC-02", a_penalty(), NA),
        ("ENF-REC-02", a_penalty(recording_required=""), NC),
        # handing in
        ("ENF-TIM-03", a_penalty(), NA),
        ("ENF-TIM-03", a_penalty(**silent_on("paid_on_spot_on")), NC),
        # the starting day is unknown
        ("ENF-TIM-01", a_penalty(**silent_on("opened_on")), NC),
        ("ENF-TIM-01", a_simple_penalty(), NA),
        ("ENF-TIM-02", a_simple_penalty(), NA),
        ("ENF-TIM-04", a_licence(opened_on=None), NC),
    ],
)
def test_outcome(probe: str, seen: CaseFacts | CaseRecord, expected: Outcome) -> None:
    assert ask(probe, seen) == expected


@pytest.mark.parametrize(
    ("probe", "case", "last", "field"),
    [
        # Friday before the Spring Festival of 2026 (15 to 23 February off, Saturdays 14 and 28 are worked):
        # the seventh working day is Monday 2 March.
        ("ENF-TIM-02", a_penalty(decided_on=date(2026, 2, 13)), date(2026, 3, 2), "served_on"),
        ("ENF-PUB-01", a_penalty(decided_on=date(2026, 2, 13)), date(2026, 3, 2), "published_on"),
        ("ENF-PUB-01", a_licence(decided_on=date(2026, 3, 13)), date(2026, 3, 24), "published_on"),
        # The decision day itself is not counted, even when it is a holiday.
        ("ENF-PUB-01", a_simple_penalty(decided_on=date(2026, 2, 18)), date(2026, 3, 3), "published_on"),
        ("ENF-PUB-02", an_inspection(decided_on=date(2026, 1, 30)), date(2026, 3, 5), "published_on"),
        # Collected on the last working day before the National Day week of 2026.
        ("ENF-TIM-03", a_simple_penalty(decided_on=date(2026, 9, 30), paid_on_spot_on=date(2026, 9, 30)),
         date(2026, 10, 9), "handed_in_on"),
        # Thirty calendar days from the last known step, whatever day that is.
        ("ENF-REC-03", a_penalty(served_on=date(2026, 3, 16)), date(2026, 4, 15), "archived_on"),
        ("ENF-REC-03", an_inspection(served_on=None), date(2026, 4, 12), "archived_on"),
    ],
)  # fmt: skip
def test_the_last_day_is_in_time_the_next_is_late(
    probe: str, case: CaseRecord, last: date, field: str
) -> None:
    following = date.fromordinal(last.toordinal() + 1)
    assert ask(probe, replace(case, **{field: last})) == PASS
    assert ask(probe, replace(case, **{field: following})) == FAIL
    waiting = replace(case, **{field: None})
    assert ask(probe, facts(waiting, today=last)) == NOT_DUE
    assert ask(probe, facts(waiting, today=following)) == FAIL
    silent = replace(waiting, given=EVERYTHING - {field})
    assert ask(probe, silent) == NC


@pytest.mark.parametrize(
    ("probe", "opened", "last"),
    [
        # Ninety calendar days: no holiday prolongs them.
        ("ENF-TIM-01", date(2026, 1, 12), date(2026, 4, 12)),
        # Twenty working days over the Spring Festival with both make-up Saturdays.
        ("ENF-TIM-04", date(2026, 1, 30), date(2026, 3, 5)),
    ],
)
def test_the_period_to_decide(probe: str, opened: date, last: date) -> None:
    make = a_licence if probe == "ENF-TIM-04" else a_penalty
    assert ask(probe, make(opened_on=opened, decided_on=last)) == PASS
    assert ask(probe, make(opened_on=opened, decided_on=date.fromordinal(last.toordinal() + 1))) == FAIL


class TestOfficers:
    def test_auxiliary_staff_never_count(self) -> None:
        pair = (a_certificate("15000001"), a_certificate("15000002", is_auxiliary=True))
        assert ask("ENF-OFF-01", facts(a_penalty(), certificates=pair)) == FAIL
        assert ask("ENF-OFF-02", facts(a_penalty(), certificates=pair)) == FAIL

    def test_one_person_with_two_certificates_is_one_person(self) -> None:
        pair = (a_certificate("15000001", holder="P1"), a_certificate("15000002", holder="P1"))
        assert ask("ENF-OFF-01", facts(a_penalty(), certificates=pair)) == FAIL

    def test_every_certificate_must_be_valid_and_the_measure_counts_them(self) -> None:
        pair = (a_certificate("15000001"), a_certificate("15000002", is_valid=False, why="已过有效期"))
        verdict = PROBES.probes["ENF-OFF-02"].rule(facts(a_penalty(), certificates=pair))
        assert (verdict.outcome, verdict.numerator, verdict.denominator) == (FAIL, 1, 2)
        assert "已过有效期" in verdict.reason

    def test_a_certificate_of_another_field_does_not_cover_the_act(self) -> None:
        pair = (a_certificate("15000001"), a_certificate("15000002", field="forestry"))
        assert ask("ENF-OFF-02", facts(a_penalty(), certificates=pair)) == FAIL
        general = (a_certificate("15000001"), a_certificate("15000002", field="general"))
        assert ask("ENF-OFF-02", facts(a_penalty(), certificates=general)) == PASS


class TestMajorPenalties:
    def test_the_amount_of_the_field_decides(self) -> None:
        case = a_penalty(fine_yuan=Decimal(50_000))
        assert ask("ENF-PRO-05", facts(case, field="market")) == NA  # 100,000 yuan there
        assert ask("ENF-PRO-05", facts(case, field="urban")) == FAIL  # 50,000 yuan, reached exactly

    def test_persons_have_the_lower_amount(self) -> None:
        case = a_penalty(party_kind="person", fine_yuan=Decimal(10_000))
        assert ask("ENF-PRO-05", case) == FAIL
        assert ask("ENF-PRO-05", replace(case, party_kind="organisation")) == NA

    def test_a_list_may_ask_for_the_review_of_every_ordinary_penalty(self) -> None:
        case = a_penalty(reviewed_on=None, review_result="")
        listed = PowerOnList("penalty", "market", "ordinary", "行政处罚法")
        assert ask("ENF-REV-01", facts(case, power=listed)) == FAIL


class TestBasis:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("《行政处罚法》第五十七条", PASS),
            ("《中华人民共和国行政处罚法》第57条第一款第（一）项；《行政处罚法》第八十六条", PASS),
            ("《行政处罚法》第八十七条", FAIL),
            ("《城市综合管理暂行规定》第九条", FAIL),
            ("《行政处罚法》", FAIL),
            ("依法处理", FAIL),
        ],
    )
    def test_what_is_cited_must_exist(self, text: str, expected: Outcome) -> None:
        assert ask("ENF-DOC-01", facts(a_penalty(basis=text), cited=parse_bases(text))) == expected

    def test_a_repealed_document_is_no_basis_since_its_day(self) -> None:
        gone = {"行政处罚法": KnownDocument("行政处罚法", 86, date(2026, 3, 13))}
        assert ask("ENF-DOC-01", facts(a_licence(), documents=gone)) == FAIL
        assert ask("ENF-DOC-01", facts(a_licence(decided_on=date(2026, 3, 12)), documents=gone)) == PASS

    @pytest.mark.parametrize(("opened", "expected"), [(date(2022, 2, 28), PASS), (date(2022, 3, 1), FAIL)])
    def test_the_catalog_knows_what_the_published_texts_repeal(self, opened: date, expected: Outcome) -> None:
        """市场主体登记管理条例 ended 公司登记管理条例 on 1 March 2022."""
        text = "《公司登记管理条例》第六十八条"
        case = a_penalty(basis=text, opened_on=opened, decided_on=date(2022, 4, 1))
        assert (
            ask("ENF-DOC-01", facts(case, cited=parse_bases(text), documents=the_law().documents)) == expected
        )

    def test_a_penalty_rests_on_the_law_of_the_day_of_the_violation(self) -> None:
        """行政处罚法 Art. 37: a violation found before the repeal is judged by the law that was repealed since."""
        gone = {"行政处罚法": KnownDocument("行政处罚法", 86, date(2026, 1, 13))}
        assert ask("ENF-DOC-01", facts(a_penalty(), documents=gone)) == PASS
        assert ask("ENF-DOC-01", facts(a_penalty(opened_on=date(2026, 1, 13)), documents=gone)) == FAIL
        assert ask("ENF-DOC-01", facts(a_penalty(opened_on=None), documents=gone)) == FAIL

    def test_without_a_list_of_documents_nothing_is_claimed(self) -> None:
        assert ask("ENF-DOC-01", facts(a_penalty(), documents={}, can_look_up=False)) == NC


class TestReportingMode:
    def test_blank_procedure_columns_of_a_reporting_unit_are_silence_not_faults(self) -> None:
        blank = a_penalty(
            mode="reported",
            notified_on=None,
            served_on=None,
            recording=(),
            archived_on=None,
            officer_certificates=(),
        )
        for probe in ("ENF-PRO-03", "ENF-TIM-02", "ENF-REC-01", "ENF-REC-03", "ENF-OFF-01"):
            assert ask(probe, blank) == NC

    def test_but_publication_belongs_to_what_it_reports(self) -> None:
        assert ask("ENF-PUB-01", a_penalty(mode="reported", published_on=None)) == FAIL


@pytest.mark.parametrize(
    ("count", "unit", "last"),
    [(6, "month", date(2026, 7, 12)), (1, "year", date(2027, 1, 12)), (90, "calendar", date(2026, 4, 12))],
)
def test_a_field_may_have_its_period_in_months_or_years(count: int, unit: str, last: date) -> None:
    """办案期限 of the customs are six months, of securities one year: the law leaves it to each field (Art. 60)."""
    own = Term("penalty.decide.market", count, unit, False, date(2021, 7, 15), None)
    law = replace(the_law(), terms={**the_law().terms, own.id: (own,)})
    in_time = a_penalty(decided_on=last, served_on=None, published_on=None, archived_on=None)
    late = replace(in_time, decided_on=last + timedelta(days=1))
    today = date(2027, 6, 1)
    assert ask("ENF-TIM-01", facts(in_time, law=law, today=today)) == PASS
    assert ask("ENF-TIM-01", facts(late, law=law, today=today)) == FAIL


def test_a_period_into_an_unpublished_year_says_that_it_is_provisional() -> None:
    case = a_penalty(decided_on=date(2026, 12, 28), served_on=None)
    verdict = PROBES.probes["ENF-TIM-02"].rule(facts(case, today=date(2026, 12, 29)))
    assert verdict.outcome == NOT_DUE
    assert "暂按周末推算" in verdict.reason


@pytest.mark.parametrize(
    ("served", "expected"), [(date(2027, 1, 6), PASS), (date(2027, 1, 7), NC), (None, NC)]
)
def test_a_provisional_last_day_proves_nobody_late(served: date | None, expected: Outcome) -> None:
    """Seven working days from 28 December 2026: without the notice of 2027 New Year's Day counts as one of them."""
    case = a_penalty(decided_on=date(2026, 12, 28), served_on=served, published_on=None, archived_on=None)
    assert ask("ENF-TIM-02", facts(case, today=date(2027, 1, 8))) == expected


def test_findings_count_in_the_period_of_the_decision_and_name_articles_and_versions() -> None:
    for case in LAWFUL.values():
        for finding in look(facts(case)):
            assert finding.occurred_at == start_of_day(case.decided_on)
            assert finding.basis
            assert all(basis.version and basis.article for basis in finding.basis)


def test_every_probe_has_its_official_title_and_is_asked_for_some_kind_of_act() -> None:
    rows = read(CATALOG / "codes" / "probes.yaml").data["probes"]
    official = {row["id"]: row["title"] for row in rows if row["service"] == "enforcement"}
    assert {probe.name: probe.title for probe in PROBES} == official
    assert {probe.name for probes in BY_KIND.values() for probe in probes} == official.keys()


def test_the_height_of_a_fine_never_reaches_a_finding() -> None:
    """行政处罚法 Art. 74: amounts decide which procedure applies, they are no measure and stand in no reason."""
    low, high = a_major_penalty(fine_yuan=Decimal(123_456)), a_major_penalty(fine_yuan=Decimal(987_654))
    assert look(facts(low)) == look(facts(high))
    assert not any("123456" in finding.reason for finding in look(facts(low)))
