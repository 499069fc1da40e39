"""What those who look on site find, or a company that was asked, becomes score facts; a sheet keeps every version."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from contracts.roles import REVIEWER
from kernel.access.principal import SYSTEM, Principal
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation, TooLarge
from kernel.files.intake import Kept
from kernel.ids import new_id
from kernel.storage.setwise import write_rows
from services.assessment.framework.records import publish
from services.assessment.framework.rules import parse
from services.assessment.framework.writing import canonical, document_of
from services.assessment.sheets.model import SHEETS
from services.assessment.sheets.rules import Item
from services.assessment.sheets.service import MOST_FILES
from tests.integration.assessment.test_external import (
    COMPANY,
    OTHER,
    STAFF,
    UNIT,
    a_survey,
    county,
    facts,
    months,
)
from tests.support.events import a_unit

__all__ = ["county"]


class TestSheets:
    RESULT = "A1.M1.R1"

    def hand_out(self, county, *, kind="third_party", assignee="pingguo", units=(UNIT,)):
        return county.app.sheets.hand_out(
            STAFF, kind, "2026", units, [self.RESULT], assignee, date(2026, 4, 1)
        )

    def test_marks_become_an_external_fact(self, county):
        (sheet,) = self.hand_out(county)
        county.app.sheets.hand_in(COMPANY, sheet, 0, [Item(self.RESULT, 800, "清单已公布，未衔接两项")], "")
        assert [(row.unit, row.mode) for row in facts(county, self.RESULT)] == [(UNIT, 4)]

    def test_marks_of_a_year_that_come_after_it_count_in_that_year(self, county):
        (sheet,) = self.hand_out(county)
        clock = county.app.store.clock
        for version, at in enumerate(
            (datetime(2026, 12, 31, 15, 30, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC))
        ):
            clock.set(at)
            county.app.sheets.hand_in(
                COMPANY, sheet, version, [Item(self.RESULT, 800 + version, "现场核对")], "更正"
            )
        assert months(county) == ["2026-12", "2026-12"]

    def test_a_correction_keeps_both_versions_and_needs_a_reason(self, county):
        (sheet,) = self.hand_out(county)
        county.app.sheets.hand_in(COMPANY, sheet, 0, [Item(self.RESULT, 800, "首次评分")], "")
        with pytest.raises(RuleViolation):
            county.app.sheets.hand_in(COMPANY, sheet, 1, [Item(self.RESULT, 900, "复核后")], "")
        county.app.sheets.hand_in(COMPANY, sheet, 1, [Item(self.RESULT, 900, "复核后")], "补交了材料")
        assert [row.corrects is None for row in facts(county, self.RESULT)] == [True, False]
        assert [version.version for version in county.app.sheets.one(COMPANY, sheet)[2]] == [1, 2]

    def test_sheets_of_a_past_day_are_as_they_were_on_it(self, county):
        clock, sheets, then = county.app.store.clock, county.app.sheets, {}
        kept = Kept("sha256:" + "0" * 64, "text/plain", 1, "现场照片.txt")

        def shown(at=None):
            mine = sheets.mine(COMPANY, at)
            return [(one, sheets.one(COMPANY, one.id, at)[2:]) for one in mine]

        def renamed():
            told = a_unit(UNIT, parent="150102", path=f"/15/150102/{UNIT}/")
            told.name, told.version = "改了名的局", 2
            county.units(told)

        (sheet,) = self.hand_out(county)
        for act in (
            lambda: None,
            lambda: sheets.add_file(COMPANY, sheet, kept),
            lambda: sheets.hand_in(COMPANY, sheet, 0, [Item(self.RESULT, 800, "首次评分")], ""),
            renamed,
            lambda: sheets.hand_in(COMPANY, sheet, 1, [Item(self.RESULT, 900, "复核后")], "补交了材料"),
            lambda: self.hand_out(county),
        ):
            act()
            then[clock.now().date()] = shown()
            clock.advance(timedelta(days=1))
        assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
        for day, pages in then.items():
            assert shown(sheets.end_of(day)) == pages, day
        before = sheets.end_of(date(2026, 3, 4))
        assert sheets.mine(COMPANY, before) == []
        with pytest.raises(NotFound):
            sheets.one(COMPANY, sheet, before)
        with pytest.raises(NotFound):
            sheets.file(COMPANY, sheet, kept.digest, sheets.end_of(min(then)))
        assert sheets.file(COMPANY, sheet, kept.digest).name == "现场照片.txt"

    def test_two_who_write_over_the_same_version_do_not_overwrite_one_another(self, county):
        (sheet,) = self.hand_out(county)
        county.app.sheets.hand_in(COMPANY, sheet, 0, [Item(self.RESULT, 800, "首次评分")], "")
        with pytest.raises(Conflict):
            county.app.sheets.hand_in(COMPANY, sheet, 0, [Item(self.RESULT, 700, "另一次")], "")

    def test_a_sheet_holds_fifty_files_and_says_so_at_the_next(self, county):
        (sheet,) = self.hand_out(county)
        kept = Kept("sha256:" + "0" * 64, "text/plain", 1, "现场照片.txt")
        for number in range(MOST_FILES):
            county.app.sheets.add_file(COMPANY, sheet, replace(kept, digest=f"sha256:{number:064x}"))
        with pytest.raises(TooLarge):
            county.app.sheets.add_file(COMPANY, sheet, replace(kept, digest="sha256:" + "f" * 64))

    def test_a_third_party_sees_what_it_was_given_and_nothing_else(self, county):
        (own,) = self.hand_out(county)
        (foreign,) = self.hand_out(county, assignee="other-company", units=("150102-sf",))
        assert [sheet.id for sheet in county.app.sheets.mine(COMPANY)] == [own]
        with pytest.raises(NotFound):
            county.app.sheets.one(COMPANY, foreign)

    def test_nobody_marks_their_own_unit(self, county):
        (sheet,) = self.hand_out(county, assignee="insider")
        insider = Principal(
            account="insider", unit=UNIT, unit_path=f"/15/150102/{UNIT}/", roles=frozenset({REVIEWER})
        )
        with pytest.raises(RuleViolation) as refused:
            county.app.sheets.hand_in(insider, sheet, 0, [Item(self.RESULT, 1000, "很好")], "")
        assert refused.value.stable_code == "assessment.own_unit"

    @pytest.mark.parametrize("items", [[], [Item(RESULT, 800, "")], [Item("A1.M1.R2", 800, "不在单中")]])
    def test_a_sheet_that_is_not_whole_is_refused(self, county, items):
        (sheet,) = self.hand_out(county)
        with pytest.raises(Invalid):
            county.app.sheets.hand_in(COMPANY, sheet, 0, items, "")

    def test_whoever_was_given_a_sheet_finds_it_though_thousands_of_others_are_due_before(self, county):
        (own,) = self.hand_out(county)
        with county.app.store.work() as work:
            row = work.session.execute(select(SHEETS)).mappings().one()
            kept = {str(name): value for name, value in row.items()}
            others = {"assignee": "bieren", "due_on": date(2026, 1, 1)}
            write_rows(work.session, SHEETS, [{**kept, **others, "id": new_id()} for _ in range(2001)])
            work.commit()
        assert [sheet.id for sheet in county.app.sheets.mine(COMPANY)] == [own]

    def test_a_unit_that_is_assessed_no_more_stays_in_reach_and_does_not_mark_itself(self, county):
        (sheet,) = self.hand_out(county, assignee="insider")
        gone = a_unit(UNIT, parent="150102", path=f"/15/150102/{UNIT}/", version=2)
        gone.valid_to = "2026-03-04"
        county.units(gone)
        assert [one.id for one in county.app.sheets.mine(STAFF)] == [sheet]
        insider = Principal(account="insider", unit=UNIT, unit_path=f"/15/150102/{UNIT}/")
        with pytest.raises(RuleViolation) as refused:
            county.app.sheets.hand_in(insider, sheet, 0, [Item(self.RESULT, 1000, "很好")], "")
        assert refused.value.stable_code == "assessment.own_unit"

    def test_units_out_of_reach_cannot_be_handed_out(self, county):
        narrow = replace(STAFF, unit="150102-sf", unit_path="/15/150102/150102-sf/")
        with pytest.raises(NotFound):
            county.app.sheets.hand_out(
                narrow, "on_site", "2026", [UNIT], [self.RESULT], "ding", date(2026, 4, 1)
            )


def test_nothing_said_of_a_year_before_it_begins_counts_in_the_year_before(county):
    survey = county.app.surveys.set_up(STAFF, a_survey(period="2027", closes_on=date(2027, 1, 31)))
    (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
    county.app.surveys.answer(code, {"q1": "满意", "q2": "满意"})
    sheets, due = county.app.sheets, date(2027, 4, 1)
    (sheet,) = sheets.hand_out(STAFF, "third_party", "2027", [UNIT], [TestSheets.RESULT], "pingguo", due)
    marks = [Item(TestSheets.RESULT, 800, "已公布")]
    for early in (
        lambda: county.app.surveys.count(STAFF, survey),
        lambda: sheets.hand_in(COMPANY, sheet, 0, marks, ""),
    ):
        with pytest.raises(RuleViolation) as refused:
            early()
        assert refused.value.stable_code == "assessment.period_not_begun"
    county.app.store.clock.set(datetime(2027, 1, 2, tzinfo=UTC))
    county.app.surveys.count(STAFF, survey)
    sheets.hand_in(COMPANY, sheet, 0, marks, "")
    assert months(county) == ["2027-01"] * 3


def test_a_result_that_the_version_now_in_force_has_no_more_holds_up_no_other(county):
    survey = county.app.surveys.set_up(STAFF, a_survey())
    (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
    county.app.surveys.answer(code, {"q1": "满意", "q2": "满意"})
    sheets, due = county.app.sheets, date(2026, 4, 1)
    (sheet,) = sheets.hand_out(STAFF, "third_party", "2026", [UNIT], [TestSheets.RESULT], "pingguo", due)
    written = canonical(document_of(county.app.frameworks.get("composite-50-30-20", "1")))
    for gone in ("SV.SITE.LAW", TestSheets.RESULT):
        written = written.replace(f'"{gone}"', f'"{gone}.NEW"')
    with county.app.store.work() as work:
        publish(work, SYSTEM, parse(orjson.loads(written) | {"version": "2"}))
        work.commit()
    county.app.store.clock.advance(timedelta(seconds=1))
    changes = county.app.framework_changes
    changes.decide(
        OTHER, changes.propose_in_force(STAFF, "composite-50-30-20", "2", 2026, ""), "", approved=True
    )
    assert county.app.surveys.count(STAFF, survey) == 1
    with pytest.raises(RuleViolation) as refused:
        sheets.hand_in(COMPANY, sheet, 0, [Item(TestSheets.RESULT, 800, "已公布")], "")
    assert refused.value.stable_code == "assessment.unknown_result"
