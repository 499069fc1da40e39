"""The probes of normative documents as plain functions: what each fact makes of each finding."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.findings import Outcome
from kernel.calendar import WorkingCalendar
from kernel.catalog import CatalogInvalid
from services.legislation.drafting.periods import DocumentPeriods
from services.legislation.drafting.rules import DocumentFacts, look, next_look_on

CATALOG = Path(__file__).parents[3] / "catalog" / "clocks" / "legislation.yaml"
FACTS = DocumentFacts(
    title="某某办法",
    registration="001",
    reviewed_on=date(2026, 1, 20),
    review_result="passed",
    deliberated_on=date(2026, 1, 25),
    signed_on=date(2026, 1, 28),
    published_on=date(2026, 2, 2),
    filed_on=None,
    file_by=date(2026, 3, 4),
    effective_on=date(2026, 3, 4),
    expires_on=date(2031, 3, 4),
    repealed_on=None,
    used_on=None,
    today=date(2026, 2, 10),
)


def outcomes(facts: DocumentFacts) -> dict[str, Outcome]:
    return {finding.probe: finding.outcome for finding in look(facts)}


class TestFindings:
    def test_a_draft_is_judged_by_nothing_yet(self) -> None:
        draft = replace(FACTS, deliberated_on=None, published_on=None, file_by=None, reviewed_on=None)
        assert outcomes(draft) == {
            "LEG-REV-01": Outcome.NOT_DUE,
            "LEG-PUB-01": Outcome.NOT_DUE,
            "LEG-FIL-01": Outcome.NOT_APPLICABLE,
            "LEG-VAL-01": Outcome.PASS,
        }

    def test_the_last_day_of_filing_is_still_in_time(self) -> None:
        assert outcomes(replace(FACTS, today=date(2026, 3, 4)))["LEG-FIL-01"] is Outcome.NOT_DUE
        assert outcomes(replace(FACTS, today=date(2026, 3, 5)))["LEG-FIL-01"] is Outcome.FAIL

    def test_use_on_the_last_day_of_validity_is_no_fault(self) -> None:
        assert outcomes(replace(FACTS, used_on=date(2031, 3, 4)))["LEG-VAL-01"] is Outcome.PASS
        assert outcomes(replace(FACTS, used_on=date(2031, 3, 5)))["LEG-VAL-01"] is Outcome.FAIL

    def test_a_repeal_ends_validity_before_its_term(self) -> None:
        repealed = replace(FACTS, repealed_on=date(2027, 1, 1), used_on=date(2027, 1, 2))
        assert outcomes(repealed)["LEG-VAL-01"] is Outcome.FAIL

    def test_every_finding_names_its_article_and_no_person(self) -> None:
        for finding in look(replace(FACTS, reviewed_on=None, registration="", today=date(2026, 4, 1))):
            assert finding.basis
            assert finding.occurred_at.tzinfo is not None
            assert len(finding.reason) <= 40

    def test_looking_again_is_planned_for_the_day_after_the_period(self) -> None:
        assert next_look_on(FACTS) == date(2026, 3, 5)
        assert next_look_on(replace(FACTS, filed_on=date(2026, 2, 9))) is None


class TestPeriods:
    def test_the_catalog_says_thirty_days_five_years_and_two_for_trials(self) -> None:
        periods = DocumentPeriods.load(CATALOG, WorkingCalendar())
        assert periods.file_by(date(2026, 2, 2)) == date(2026, 3, 4)
        assert periods.expires_on("某某办法", date(2026, 3, 4)) == date(2031, 3, 4)
        assert periods.expires_on("某某办法（试行）", date(2026, 3, 4)) == date(2028, 3, 4)
        assert periods.file_by(None) is None

    def test_a_province_that_counts_working_days_gets_working_days(self, tmp_path: Path) -> None:
        text = CATALOG.read_text(encoding="utf-8").replace(
            "title: 规范性文件备案, days: 30, unit: calendar",
            "title: 规范性文件备案, days: 15, unit: working",
        )
        (tmp_path / "legislation.yaml").write_text(text, encoding="utf-8")
        periods = DocumentPeriods.load(tmp_path / "legislation.yaml", WorkingCalendar())
        # 15 working days from 2 February 2026, over the Spring Festival with its make-up days.
        assert periods.file_by(date(2026, 2, 2)) == date(2026, 2, 28)

    def test_a_period_that_the_province_changes_holds_from_its_day_on(self, tmp_path: Path) -> None:
        text = CATALOG.read_text(encoding="utf-8")
        row = next(line for line in text.splitlines() if "id: document.file," in line)
        until = row.replace("valid_from: 2024-11-01", "valid_from: 2024-11-01, valid_to: 2026-12-31")
        after = row.replace("days: 30", "days: 15").replace("2024-11-01,", "2027-01-01,")
        (tmp_path / "legislation.yaml").write_text(text.replace(row, f"{until}\n{after}"), encoding="utf-8")
        periods = DocumentPeriods.load(tmp_path / "legislation.yaml", WorkingCalendar())
        assert periods.file_by(date(2026, 12, 31)) == date(2027, 1, 30)
        assert periods.file_by(date(2027, 1, 1)) == date(2027, 1, 16)
        assert periods.file_by(date(2019, 5, 1)) == date(2019, 5, 31)

    @pytest.mark.parametrize(
        ("old", "new"), [("days: 30", "days: soon"), ("id: document.file,", "id: document.elsewhere,")]
    )
    def test_a_fault_in_the_catalog_is_named_with_its_line(self, tmp_path: Path, old: str, new: str) -> None:
        row = next(
            line for line in CATALOG.read_text(encoding="utf-8").splitlines() if "id: document.file," in line
        )
        text = CATALOG.read_text(encoding="utf-8").replace(row, row.replace(old, new))
        (tmp_path / "legislation.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(CatalogInvalid) as refused:
            DocumentPeriods.load(tmp_path / "legislation.yaml", WorkingCalendar())
        assert "legislation.yaml:" in refused.value.problems[0].path
