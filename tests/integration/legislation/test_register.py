"""Normative documents: what is wrong is told to assessment when it becomes wrong, and corrected when it is put right."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.findings import Mode, Outcome
from kernel.errors import Conflict, Invalid, NotFound
from services.legislation.drafting.service import Entry
from tests.integration.legislation.conftest import CLERK, PROVINCE, Desk, a_citation, a_unit

ENTRY = Entry(
    unit="150102",
    number="新政规〔2026〕1号",
    title="新城区户外广告设置管理办法",
    kind="办法",
    reviewed_on=date(2026, 1, 20),
    review_result="passed",
    deliberated_on=date(2026, 1, 25),
    signed_on=date(2026, 1, 28),
    registration="150102-2026-001",
    published_on=date(2026, 2, 2),
    effective_on=date(2026, 3, 4),
    filed_on=date(2026, 2, 20),
)


@pytest.fixture
def office(desk: Desk) -> Desk:
    """Legislation that knows the units."""
    desk.units(a_unit("150102", "/15/1501/150102/"), a_unit("150103", "/15/1501/150103/"))
    return desk


def findings(desk: Desk) -> dict[str, tuple[Outcome, date]]:
    """The last outcome told for each probe, with the day it was true in Shanghai."""
    latest = {}
    for event in desk.told():
        day = datetime.fromtimestamp(event.occurred_at_us / 1e6, UTC) + timedelta(hours=8)
        latest[event.probe] = (Outcome(event.outcome), day.date())
    return latest


class TestProbes:
    def test_a_document_made_by_the_rules_passes_all_four(self, office: Desk) -> None:
        document = office.app.register.enter(CLERK, ENTRY)
        assert findings(office) == {
            "LEG-REV-01": (Outcome.PASS, date(2026, 1, 25)),
            "LEG-PUB-01": (Outcome.PASS, date(2026, 2, 2)),
            "LEG-FIL-01": (Outcome.PASS, date(2026, 2, 20)),
            "LEG-VAL-01": (Outcome.PASS, date(2026, 2, 2)),
        }
        event = office.told()[0]
        assert (event.unit, event.subject) == ("150102", f"legislation/normative-documents/{document.id}")
        assert (document.file_by, document.expires_on) == (date(2026, 3, 4), date(2031, 3, 4))

    @pytest.mark.parametrize(
        ("change", "probe", "outcome"),
        [
            ({"reviewed_on": None}, "LEG-REV-01", Outcome.FAIL),
            ({"review_result": "rejected"}, "LEG-REV-01", Outcome.FAIL),
            ({"reviewed_on": date(2026, 1, 26)}, "LEG-REV-01", Outcome.FAIL),
            ({"review_result": "passed_with_changes"}, "LEG-REV-01", Outcome.PASS),
            ({"registration": ""}, "LEG-PUB-01", Outcome.FAIL),
            (
                {"published_on": None, "filed_on": None, "effective_on": date(2026, 3, 5)},
                "LEG-PUB-01",
                Outcome.FAIL,
            ),
            (
                {"published_on": None, "filed_on": None, "effective_on": date(2026, 3, 6)},
                "LEG-PUB-01",
                Outcome.NOT_DUE,
            ),
            ({"published_on": None, "filed_on": None}, "LEG-FIL-01", Outcome.NOT_APPLICABLE),
            ({"filed_on": date(2026, 3, 4)}, "LEG-FIL-01", Outcome.PASS),
            ({"filed_on": date(2026, 3, 5)}, "LEG-FIL-01", Outcome.FAIL),
            ({"filed_on": None}, "LEG-FIL-01", Outcome.FAIL),
            ({"effective_on": None}, "LEG-VAL-01", Outcome.NOT_COMPUTABLE),
        ],
    )
    def test_one_wrong_fact_fails_its_probe(
        self, office: Desk, change: dict[str, object], probe: str, outcome: Outcome
    ) -> None:
        office.app.register.enter(CLERK, replace(ENTRY, **change))  # type: ignore[arg-type]
        assert findings(office)[probe][0] is outcome

    def test_the_filing_period_runs_out_by_itself(self, office: Desk) -> None:
        office.app.register.enter(CLERK, replace(ENTRY, published_on=date(2026, 2, 10), filed_on=None))
        assert findings(office)["LEG-FIL-01"][0] is Outcome.NOT_DUE
        office.clock.set(datetime(2026, 3, 12, 15, tzinfo=UTC))  # the last day, before midnight in Shanghai
        office.worker.look_again()
        assert findings(office)["LEG-FIL-01"][0] is Outcome.NOT_DUE
        office.clock.set(datetime(2026, 3, 12, 16, tzinfo=UTC))
        office.worker.look_again()
        assert findings(office)["LEG-FIL-01"] == (Outcome.FAIL, date(2026, 3, 12))

    def test_a_citation_after_expiry_is_told_on_the_day_of_use(self, office: Desk) -> None:
        office.app.register.enter(CLERK, replace(ENTRY, expires_on=date(2026, 3, 4)))
        office.cite(a_citation("《新城区户外广告设置管理办法》", "第三条", on="2026-03-04"))
        assert findings(office)["LEG-VAL-01"][0] is Outcome.PASS
        office.cite(a_citation("新城区户外广告设置管理办法", "第三条", on="2026-03-05"))
        assert findings(office)["LEG-VAL-01"] == (Outcome.FAIL, date(2026, 3, 5))

    def test_what_was_issued_anew_under_its_title_is_used_no_more(self, office: Desk) -> None:
        """The old one ended on 1 March and the new one begins on the 2nd: a case of the 4th rests on the new one."""
        old = office.app.register.enter(
            CLERK, replace(ENTRY, number="1号", expires_on=date(2026, 3, 1), effective_on=date(2021, 3, 2))
        )
        office.app.register.enter(CLERK, replace(ENTRY, number="2号", effective_on=date(2026, 3, 2)))
        office.cite(a_citation("新城区户外广告设置管理办法", "第三条", on="2026-03-04"))
        assert findings(office)["LEG-VAL-01"][0] is Outcome.PASS
        assert office.app.register.one(CLERK, old.id).used_on is None

    def test_a_neighbours_document_of_the_same_title_is_not_meant(self, office: Desk) -> None:
        office.app.register.enter(PROVINCE, replace(ENTRY, title="城市管理办法", expires_on=date(2026, 3, 4)))
        office.cite(a_citation("城市管理办法", "第三条", unit="150103", on="2026-03-05"))
        assert findings(office)["LEG-VAL-01"][0] is Outcome.PASS
        office.cite(a_citation("城市管理办法", "第三条", unit="150102", on="2026-03-05"))
        assert findings(office)["LEG-VAL-01"] == (Outcome.FAIL, date(2026, 3, 5))

    def test_what_is_entered_late_is_set_right_by_the_clock(self, office: Desk) -> None:
        """The case came in before the maker entered the document that it rests on."""
        old = replace(ENTRY, number="1号", expires_on=date(2026, 3, 1), effective_on=date(2021, 3, 2))
        office.app.register.enter(CLERK, old)
        office.cite(a_citation("新城区户外广告设置管理办法", "第三条", on="2026-03-04"))
        assert findings(office)["LEG-VAL-01"] == (Outcome.FAIL, date(2026, 3, 4))
        wrong = office.told()[-1]
        new = office.app.register.enter(CLERK, replace(ENTRY, number="2号", effective_on=date(2026, 3, 2)))
        office.worker.look_again()
        right = office.told()[-1]
        assert (right.probe, right.outcome, right.corrects) == ("LEG-VAL-01", int(Outcome.PASS), wrong.id)
        assert office.app.register.one(CLERK, new.id).used_on == date(2026, 3, 4)

    def test_of_a_document_older_than_ten_years_only_its_use_is_told(self, office: Desk) -> None:
        """Assessment refuses events of so long ago; the use that corrected one of them was refused with it."""
        days = ("reviewed_on", "deliberated_on", "signed_on", "published_on", "effective_on", "filed_on")
        old = {day: getattr(ENTRY, day).replace(year=2012) for day in days}
        office.app.register.enter(CLERK, replace(ENTRY, **old))
        assert office.told() == []
        office.cite(a_citation("新城区户外广告设置管理办法", "第三条", on="2026-03-04"))
        (event,) = office.told()
        assert (event.probe, event.outcome, event.corrects) == ("LEG-VAL-01", int(Outcome.FAIL), "")

    def test_a_trial_document_lasts_two_years(self, office: Desk) -> None:
        document = office.app.register.enter(CLERK, replace(ENTRY, title="新城区养犬管理办法（试行）"))
        assert document.expires_on == date(2028, 3, 4)


class TestKeeping:
    def test_putting_a_fact_right_corrects_the_event(self, office: Desk) -> None:
        document = office.app.register.enter(CLERK, replace(ENTRY, registration=""))
        wrong = next(event for event in office.told() if event.probe == "LEG-PUB-01")
        office.app.register.change(CLERK, document.id, ENTRY, version=1)
        right = office.told()[-1]
        assert (right.probe, right.outcome, right.corrects) == ("LEG-PUB-01", int(Outcome.PASS), wrong.id)
        assert len(office.told()) == 5

    def test_a_change_of_what_somebody_else_changed_is_refused(self, office: Desk) -> None:
        document = office.app.register.enter(CLERK, ENTRY)
        office.app.register.change(CLERK, document.id, replace(ENTRY, kind="规定"), version=1)
        with pytest.raises(Conflict) as refused:
            office.app.register.change(CLERK, document.id, ENTRY, version=1)
        assert refused.value.stable_code == "legislation.changed_meanwhile"

    def test_a_number_is_taken_once(self, office: Desk) -> None:
        office.app.register.enter(CLERK, ENTRY)
        with pytest.raises(Conflict) as refused:
            office.app.register.enter(CLERK, ENTRY)
        assert refused.value.stable_code == "legislation.number_taken"

    def test_another_units_document_is_not_there(self, office: Desk) -> None:
        register = office.app.register
        theirs = register.enter(PROVINCE, replace(ENTRY, unit="150103"))
        with pytest.raises(NotFound):
            register.one(CLERK, theirs.id)
        with pytest.raises(NotFound):
            register.change(CLERK, theirs.id, replace(ENTRY, unit="150103"), version=1)
        with pytest.raises(NotFound):
            register.enter(CLERK, replace(ENTRY, unit="150103", number="2号"))
        with pytest.raises(NotFound):
            register.one(CLERK, "no-id")
        assert register.documents(CLERK)[0] == 0
        assert register.documents(PROVINCE)[0] == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"filed_on": date(2026, 2, 1)}, "filed_on"),
            ({"published_on": date(2026, 1, 1), "filed_on": None}, "published_on"),
            ({"published_on": date(2026, 3, 6), "filed_on": None}, "published_on"),
            ({"filed_on": date(2026, 3, 6)}, "filed_on"),
            ({"title": " "}, "title"),
            ({"kind": "条例"}, "kind"),
            ({"review_result": "maybe"}, "review_result"),
        ],
    )
    def test_an_entry_that_contradicts_itself_is_refused_with_its_field(
        self, office: Desk, change: dict[str, object], field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            office.app.register.enter(CLERK, replace(ENTRY, **change))  # type: ignore[arg-type]
        assert [problem.path for problem in refused.value.problems] == [field]
        assert office.told() == []

    def test_a_whole_register_is_taken_in_and_taken_again(self, office: Desk) -> None:
        entries = [replace(ENTRY, number=f"{n}号", title=f"第{n}号办法") for n in range(1200)]
        assert office.app.register.import_entries(entries) == 1200
        assert office.app.register.import_entries(entries) == 0
        assert len(office.told()) == 4800

    def test_looking_again_tells_only_what_changed_and_keeps_how_it_was_known(self, office: Desk) -> None:
        entry = replace(ENTRY, published_on=date(2026, 2, 10), filed_on=None)
        office.app.register.import_entries([entry], Mode.REPORTED)
        office.clock.set(datetime(2026, 3, 13, tzinfo=UTC))
        office.worker.look_again()
        office.worker.look_again()
        again = office.told()[4:]
        assert [(event.probe, event.mode) for event in again] == [("LEG-FIL-01", int(Mode.REPORTED))]
