"""A case file is taken whole or not at all, once, by whoever may, and its cases are scored from then on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from contracts.events.v1 import scored_pb2 as scored
from kernel.errors import Invalid, NotAllowed, NotFound
from services.enforcement.cases.entering import CaseChanged
from services.enforcement.cases.model import CASES, FILES, PARTS, VERSIONS
from services.enforcement.cases.service import FileHasFaults
from tests.integration.enforcement.conftest import (
    BODY,
    CLERK,
    COUNTY,
    HEAD,
    OTHER_CODE,
    STRANGER,
    UNIT,
    Office,
    a_unit,
    person,
)
from tests.support.enforcement import BODY_CODE, a_row, csv_file, rows_of, xlsx_file

FAIL = scored.OUTCOME_FAIL


def count(office: Office, table: Any) -> int:
    with office.app.store.reading() as session:
        return len(session.execute(select(table)).all())


class TestTaking:
    def test_checking_enters_nothing_and_confirming_enters_all(self, office: Office) -> None:
        report = office.app.cases.check_file(CLERK, csv_file(rows_of(3)), "案件.csv")
        assert (report.state, report.rows, report.kinds, count(office, CASES)) == (
            "checked",
            3,
            {"penalty": 3},
            0,
        )
        report = office.app.cases.confirm(CLERK, report.digest)
        assert (report.state, count(office, CASES), count(office, VERSIONS)) == ("imported", 3, 3)
        assert count(office, PARTS) == 0
        assert office.audited()[-2:] == [("clerk", "case_file.checked"), ("clerk", "case_file.imported")]

    def test_one_bad_row_lets_nothing_in(self, office: Office) -> None:
        rows = [*rows_of(600), a_row(决定书文号="坏的", 决定日期="2026-02-30")]
        report = office.app.cases.check_file(CLERK, csv_file(rows), "案件.csv")
        assert report.state == "refused"
        assert [(f.row, f.column, f.code, f.value) for f in report.faults] == [
            (602, "决定日期", "enforcement.impossible_date", "2026-02-30")
        ]
        with pytest.raises(FileHasFaults) as refused:
            office.app.cases.confirm(CLERK, report.digest)
        assert refused.value.problems[0].path == "第602行/决定日期"
        assert count(office, CASES) == 0
        assert count(office, PARTS) == 0

    def test_faults_are_listed_in_the_order_of_rows(self, office: Office) -> None:
        rows = rows_of(4)
        rows[0]["决定机关统一社会信用代码"] = OTHER_CODE
        rows[1]["决定日期"] = rows[3]["决定日期"] = "昨天"
        report = office.app.cases.check_file(CLERK, csv_file(rows), "案件.csv")
        assert [fault.row for fault in report.faults] == [2, 3, 5]

    def test_the_same_file_twice_gives_the_report_of_the_first_time(self, office: Office) -> None:
        first = office.enter(csv_file(rows_of(2)))
        again = office.app.cases.check_file(CLERK, csv_file(rows_of(2)), "另一个名字.csv")
        assert again.already_imported
        assert (again.digest, again.rows, again.name) == (first.digest, 2, "案件.csv")
        assert office.app.cases.confirm(CLERK, first.digest).already_imported
        assert count(office, CASES) == 2

    def test_gbk_and_workbooks_give_the_same_cases(self, office: Office) -> None:
        office.enter(csv_file(rows_of(1), "gb18030"))
        report = office.app.cases.check_file(CLERK, xlsx_file(rows_of(1)), "案件.xlsx")
        assert [fault.code for fault in report.faults] == ["enforcement.case_exists"]

    def test_a_title_row_above_the_header_is_passed_over(self, office: Office) -> None:
        assert office.enter(xlsx_file(rows_of(2), title="2026年行政处罚信息公示表"), "案件.xlsx").rows == 2

    def test_what_was_confirmed_survives_a_crash_before_the_probes(self, office: Office) -> None:
        report = office.app.cases.check_file(CLERK, csv_file(rows_of(3)), "案件.csv")
        office.app.cases.confirm(CLERK, report.digest)
        assert office.events() == []
        office.worker.look()
        assert len({event.subject for event in office.events()}) == 3

    def test_a_code_that_two_units_bore_one_after_the_other_is_the_one_of_the_day(
        self, office: Office
    ) -> None:
        """机构改革: the new bureau keeps the code; what it decided was put down to the one it replaced."""
        new = "150102-zhzf"
        office.units(a_unit(new, f"{COUNTY}{new}/", credit_code=BODY_CODE))
        office.app.registry.load_bodies(
            HEAD,
            [
                replace(BODY, valid_to=date(2026, 2, 28)),
                replace(BODY, unit=new, valid_from=date(2026, 3, 1), confirmed_on=date(2026, 3, 1)),
            ],
        )
        before = {"立案日期": "2026-01-05", "处罚告知日期": "2026-02-02", "法制审核日期": "2026-02-20"}
        days = ("2026-02-28", "2026-03-01")
        rows = [a_row(决定书文号=day, 决定日期=day, 集体讨论日期=None, **before) for day in days]
        office.enter(csv_file(rows))
        _, cases = office.app.cases.page(HEAD)
        assert [(case["number"], case["unit"]) for case in cases] == [(days[1], new), (days[0], UNIT)]

    def test_a_file_nobody_confirms_is_forgotten_after_a_week(self, office: Office) -> None:
        report = office.app.cases.check_file(CLERK, csv_file(rows_of(1)), "案件.csv")
        office.clock.advance(timedelta(days=8))
        office.worker.forget()
        assert count(office, PARTS) == 0
        with pytest.raises(NotFound):
            office.app.cases.confirm(CLERK, report.digest)
        assert office.app.cases.check_file(CLERK, csv_file(rows_of(1)), "案件.csv").state == "checked"

    def test_two_files_with_the_same_case_cannot_both_be_confirmed(self, office: Office) -> None:
        cases = office.app.cases
        one = cases.check_file(CLERK, csv_file(rows_of(2)), "a.csv")
        two = cases.check_file(CLERK, csv_file(rows_of(3)), "b.csv")
        cases.confirm(CLERK, one.digest)
        with pytest.raises(CaseChanged):
            cases.confirm(CLERK, two.digest)
        assert count(office, CASES) == 2


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([a_row(), a_row()], "enforcement.repeated_row"),
        ([a_row(), a_row(决定书文号="新城市监罚[2026]7号")], "enforcement.repeated_row"),
        ([a_row(决定机关统一社会信用代码="11150102XN0050466Y")], "enforcement.unknown_body"),
        ([a_row(决定机关统一社会信用代码="115001020050466000")], "enforcement.number_ruined"),
        ([a_row(决定机关统一社会信用代码=OTHER_CODE)], "enforcement.foreign_body"),
        ([a_row(), {**a_row(), "案件类型": "合计"}], "enforcement.totals_row"),
        ([dict.fromkeys(a_row(), "")], "enforcement.no_rows"),
        ([{"甲": "1", "乙": "2"}], "enforcement.no_header"),
        ([{k: v for k, v in a_row().items() if k != "处罚依据"}], "enforcement.missing_column"),
    ],
)
def test_a_file_with_this_fault_is_refused(office: Office, rows: list[dict[str, Any]], code: str) -> None:
    report = office.app.cases.check_file(CLERK, csv_file(rows), "案件.csv")
    assert report.state == "refused"
    assert code in {fault.code for fault in report.faults}


def test_formulas_merged_cells_and_ruined_numbers_of_a_workbook_are_faults(office: Office) -> None:
    ruined = {(1, 11): 111501020050466600, (2, 8): "=1+1"}
    report = office.app.cases.check_file(CLERK, xlsx_file(rows_of(3), raw=ruined), "案件.xlsx")
    assert {(fault.row, fault.code) for fault in report.faults} >= {
        (2, "enforcement.number_ruined"),
        (0, "enforcement.formula"),
    }


class TestScoring:
    def test_each_planted_fault_is_one_failing_event_of_the_body(self, office: Office) -> None:
        office.enter(csv_file([a_row(), a_row(决定书文号="晚", 公示日期="2026-04-20", 是否亮证="否")]))
        failed = sorted((event.probe, event.unit) for event in office.events() if event.outcome == FAIL)
        assert failed == [("ENF-OFF-03", UNIT), ("ENF-PUB-01", UNIT)]

    def test_citations_are_told_once_with_the_day_of_the_act(self, office: Office) -> None:
        office.enter(csv_file([a_row(处罚依据="《行政处罚法》第二十八条；《食品安全法》第一百二十五条")]))
        office.app.cases.look_again(HEAD)
        office.settle()
        assert [(c.document, c.article, c.cited_on, c.unit) for c in office.citations()] == [
            ("行政处罚法", "第二十八条", "2026-03-13", UNIT),
            ("食品安全法", "第一百二十五条", "2026-03-13", UNIT),
        ]

    def test_a_period_that_runs_out_is_told_by_the_clock_and_corrects_the_former_event(
        self, office: Office
    ) -> None:
        waiting = a_row(决定日期="2026-10-30", 送达日期="2026-10-30", 公示日期=None, 归档日期="2026-10-31")
        office.enter(csv_file([waiting]))
        before = {event.probe: event for event in office.events()}
        assert before["ENF-PUB-01"].outcome == scored.OUTCOME_NOT_DUE
        office.clock.advance(timedelta(days=8))
        office.worker.look()
        assert len(office.events()) == len(before)
        office.clock.advance(timedelta(days=1))
        office.worker.look()
        told = office.events()[len(before) :]
        assert [(event.probe, event.outcome, event.corrects) for event in told] == [
            ("ENF-PUB-01", FAIL, before["ENF-PUB-01"].id)
        ]
        office.clock.advance(timedelta(days=400))
        assert office.app.cases.look_at_waiting() == 0

    def test_looking_again_after_a_register_changed_tells_only_what_changed(self, office: Office) -> None:
        office.enter(csv_file([a_row(权责清单事项编码="MKT-2")]))
        told = len(office.events())
        assert office.app.cases.look_again(HEAD) == 1
        office.settle()
        assert len(office.events()) == told

    def test_events_carry_neither_parties_nor_amounts(self, office: Office) -> None:
        office.enter(csv_file([a_row(**{"罚款金额（元）": "123456.00"})]))
        raw = b"".join(office.told("scored.v1"))
        assert "商贸".encode() not in raw
        assert b"123456" not in raw

    def test_a_file_cannot_claim_to_be_real_time_for_a_body_that_is_not(self, office: Office) -> None:
        office.enter(csv_file([a_row(接入模式="实时")]))
        assert {event.mode for event in office.events()} == {scored.MODE_ENTERED}
        office.app.registry.load_bodies(HEAD, [replace(BODY, mode="real_time")])
        office.app.cases.look_again(HEAD)
        office.settle()
        assert office.events()[-1].mode == scored.MODE_REAL_TIME

    def test_two_workers_never_tell_the_same_finding_twice(self, office: Office) -> None:
        report = office.app.cases.check_file(CLERK, csv_file(rows_of(120)), "案件.csv")
        office.app.cases.confirm(CLERK, report.digest)

        def work(_: int) -> None:
            while office.app.cases.look_at_waiting(limit=7):
                pass

        with ThreadPoolExecutor(3) as workers:
            list(workers.map(work, range(3)))
        office.settle()
        told = [(event.subject, event.probe) for event in office.events()]
        assert len({subject for subject, _ in told}) == 120
        assert len(told) == len(set(told))


class TestCorrections:
    def handed_in(self, office: Office, **changes: Any) -> str:
        report = office.app.cases.check_file(
            CLERK, csv_file([a_row(**changes)]), "更正.csv", purpose="correction", reason="公示日期录错"
        )
        assert report.fault_count == 0, report.faults
        return report.digest

    def test_other_content_is_refused_until_it_comes_as_a_correction(self, office: Office) -> None:
        office.enter(csv_file([a_row()]))
        report = office.app.cases.check_file(CLERK, csv_file([a_row(公示日期="2026-05-20")]), "案件.csv")
        assert [fault.code for fault in report.faults] == ["enforcement.case_differs"]

    def test_a_correction_keeps_both_versions_and_corrects_the_event(self, office: Office) -> None:
        office.enter(csv_file([a_row()]))
        before = {event.probe: event for event in office.events()}
        digest = self.handed_in(office, 公示日期="2026-05-20")
        office.app.cases.confirm(HEAD, digest, purpose="correction")
        office.settle()
        told = office.events()[len(before) :]
        assert [(event.probe, event.outcome, event.corrects) for event in told] == [
            ("ENF-PUB-01", FAIL, before["ENF-PUB-01"].id)
        ]
        detail = office.app.cases.one(HEAD, told[0].subject.rsplit("/", 1)[1])
        assert [(version["version"], version["reason"]) for version in detail.versions] == [
            (1, ""),
            (2, "公示日期录错"),
        ]

    def test_whoever_hands_it_in_cannot_confirm_it(self, office: Office) -> None:
        office.enter(csv_file([a_row()]))
        digest = self.handed_in(office, 公示日期="2026-05-20")
        for who in (CLERK, person("reporter", account="colleague")):
            with pytest.raises(NotAllowed):
                office.app.cases.confirm(who, digest, purpose="correction")

    def test_of_two_corrections_checked_against_the_same_version_the_second_is_checked_again(
        self, office: Office
    ) -> None:
        """It was written over what the first had put right, and nobody had seen both."""
        office.enter(csv_file([a_row()]))
        one = self.handed_in(office, 公示日期="2026-05-20")
        two = self.handed_in(office, 送达日期="2026-05-20", 公示日期="2026-05-21")
        office.app.cases.confirm(HEAD, one, purpose="correction")
        with pytest.raises(CaseChanged):
            office.app.cases.confirm(HEAD, two, purpose="correction")
        again = self.handed_in(office, 送达日期="2026-05-20", 公示日期="2026-05-21")
        assert office.app.cases.confirm(HEAD, again, purpose="correction").state == "imported"

    def test_it_needs_a_reason_and_a_case_to_correct(self, office: Office) -> None:
        with pytest.raises(Invalid):
            office.app.cases.check_file(CLERK, csv_file([a_row()]), "更正.csv", purpose="correction")
        report = office.app.cases.check_file(
            CLERK, csv_file([a_row()]), "更正.csv", purpose="correction", reason="录错"
        )
        assert [fault.code for fault in report.faults] == ["enforcement.nothing_to_correct"]

    def test_versions_cannot_be_changed_even_by_hand(self, office: Office) -> None:
        office.enter(csv_file([a_row()]))
        for statement in ("UPDATE case_versions SET record = '{}'", "DELETE FROM case_versions"):
            with pytest.raises(DBAPIError, match="append-only"), office.app.store.work() as work:
                work.session.execute(text(statement))


class TestReading:
    def test_a_foreign_unit_sees_neither_cases_nor_files(self, office: Office) -> None:
        report = office.enter(csv_file(rows_of(2)))
        case = office.events()[0].subject.rsplit("/", 1)[1]
        assert office.app.cases.page(STRANGER)[0] == 0
        with pytest.raises(NotFound):
            office.app.cases.one(STRANGER, case)
        with pytest.raises(NotFound):
            office.app.cases.report(STRANGER, report.digest)

    def test_pages_follow_the_day_of_decision(self, office: Office) -> None:
        rows = [a_row(决定书文号=f"{day}号", 决定日期=f"2026-03-{day}") for day in (11, 12, 13)]
        office.enter(csv_file(rows))
        total, page = office.app.cases.page(CLERK, limit=2)
        assert (total, [row["number"] for row in page]) == (3, ["13号", "12号"])
        assert page[0]["unit_name"] == "新城区市场监督管理局"
        assert office.app.cases.page(CLERK, kind="licence")[0] == 0

    def test_one_case_shows_its_steps_in_time_and_what_was_found(self, office: Office) -> None:
        office.enter(csv_file([a_row(是否亮证="否")]))
        detail = office.app.cases.one(CLERK, office.events()[0].subject.rsplit("/", 1)[1])
        assert detail.title == "行政处罚 新城市监罚〔2026〕7号"
        assert [step["label"] for step in detail.timeline] == [
            "立案日期", "处罚告知日期", "法制审核日期", "决定日期", "送达日期", "公示日期", "归档日期",
        ]  # fmt: skip
        shown = next(finding for finding in detail.findings if finding["probe"] == "ENF-OFF-03")
        assert (shown["outcome"], bool(shown["event"])) == ("fail", True)
        assert {"label": "处罚类别", "value": "罚款"} in detail.fields


def test_a_refused_file_keeps_its_report_for_the_reporter(office: Office) -> None:
    report = office.app.cases.check_file(CLERK, csv_file([a_row(决定日期="昨天")]), "案件.csv")
    kept = office.app.cases.report(CLERK, report.digest)
    assert kept == report
    assert count(office, FILES) == 1
