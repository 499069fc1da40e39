"""Truths point at records that exist, and the other parts of the year keep their own promises."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from fazhi.province import Province, Row, Truth, case_key
from kernel.calendar import WorkingCalendar
from kernel.catalog import read

CALENDAR = WorkingCalendar()
ROOT = Path(__file__).resolve().parents[3]


def test_every_truth_refers_to_an_existing_record(
    county: Province, rows: list[Row], truths: list[Truth]
) -> None:
    known = {("enforcement_case", case_key(row)) for row in rows}
    known |= {("decision", d.number) for d in county.decisions()}
    known |= {("reconsideration", r.number) for r in county.reconsiderations()}
    known |= {("normative_document", d.number) for d in county.normative_documents()}
    known |= {("clue", f"{c.system}|{c.external_id}") for c in county.clues()}
    assert {(truth.subject, truth.key) for truth in truths} <= known


def test_every_truth_names_a_unit_of_the_directory(county: Province, truths: list[Truth]) -> None:
    units = {unit.code for unit in county.units()}
    assert {truth.unit for truth in truths} <= units


def test_natural_keys_are_unique_over_a_city(city: Province) -> None:
    for keys in (
        [case_key(row) for row in city.cases()],
        [row["决定书文号"] for row in city.cases()],
        [d.number for d in city.decisions()],
        [r.number for r in city.reconsiderations()],
        [d.number for d in city.normative_documents()],
        [(c.system, c.external_id) for c in city.clues()],
    ):
        assert len(set(keys)) == len(keys)


def test_counts_are_what_the_iterators_give(county: Province) -> None:
    for name, count in county.counts().items():
        assert sum(1 for _ in getattr(county, name)()) == count, name


def test_the_summary_counts_the_truths(county: Province, truths: list[Truth]) -> None:
    assert sum(county.summary().values()) == len(truths)


def test_comment_periods_are_thirty_days_unless_planted(city: Province, city_truths: list[Truth]) -> None:
    short = {
        decision.number
        for decision in city.decisions()
        if _days(decision.facts["consultation"]["open"], decision.facts["consultation"]["close"]) < 30
    }
    assert short == {truth.key for truth in city_truths if truth.probe == "DEC-06"}
    assert short


def test_the_head_speaks_last_unless_planted(city: Province, city_truths: list[Truth]) -> None:
    early = {
        decision.number
        for decision in city.decisions()
        if decision.facts["meeting"]["order"][-1] != decision.facts["meeting"]["head"]
    }
    assert early == {truth.key for truth in city_truths if truth.probe == "DEC-23"}


def test_a_decision_has_at_most_one_fault() -> None:
    planted = Counter(t.key for t in Province(seed=1, size="province").truths_of("decision"))
    assert set(planted.values()) == {1}


def test_reconsideration_keeps_its_clocks_unless_planted(city: Province, city_truths: list[Truth]) -> None:
    """Acceptance 5 working days, decision 60 or 30 days and 30 more, suspended days left out (Arts. 30, 62)."""
    planted: dict[str, set[str]] = {}
    for truth in city_truths:
        if truth.subject == "reconsideration" and truth.expected == "fail":
            planted.setdefault(truth.probe, set()).add(truth.key)
    slow, late = set(), set()
    for case in city.reconsiderations():
        facts = case.facts
        fifth = CALENDAR.working_days_after(date.fromisoformat(facts["received_on"]), 5).due_on
        accepted = _day(facts["accepted_on"])
        if (accepted or date.max) > fifth and not facts["refused_on"] and fifth < city.frame.until:
            slow.add(case.number)
        if not facts["refused_on"] and _end(facts, min(accepted or fifth, fifth)) < (
            _day(facts["decided_on"]) or city.frame.until
        ):
            late.add(case.number)
    assert slow == planted["DIS-ACC-01"]
    assert late == planted["DIS-TIM-01"]


def test_a_linked_act_is_a_penalty_of_the_respondent(county: Province, rows: list[Row]) -> None:
    acts = {case_key(row): row for row in rows}
    units = {unit.code: unit.credit_code for unit in county.units()}
    linked = [case for case in county.reconsiderations() if case.facts["act"]]
    assert linked
    for case in linked:
        row = acts[case.facts["act"]]
        assert row["案件类型"] == "处罚"
        assert row["决定机关统一社会信用代码"] == units[case.respondent]
        assert row["决定日期"] == case.facts["act_on"] < case.facts["received_on"]


def test_only_documents_that_lack_something_are_planted(city: Province, city_truths: list[Truth]) -> None:
    faults = {truth.key: truth.probe for truth in city_truths if truth.subject == "normative_document"}
    for document in city.normative_documents():
        assert (document.reviewed_on is None) is (faults.get(document.number) == "LEG-REV-01")
        assert (document.registration == "") is (faults.get(document.number) == "LEG-PUB-01")
        assert (document.status == "expired") is (faults.get(document.number) == "LEG-VAL-01")
        late = document.filed_on and document.filed_on > document.signed_on + timedelta(days=45)
        assert bool(late) is (faults.get(document.number) == "LEG-FIL-01")


def test_clues_have_only_the_fields_agreed_for_their_link(city: Province) -> None:
    for system in ("hotline", "petition", "litigation"):
        agreed = read(ROOT / "catalog" / "links" / f"{system}.yaml").data["fields"]
        known = {each["from"]: each for each in agreed}
        required = {name for name, each in known.items() if each["required"]}
        messages = [clue for clue in city.clues() if clue.system == system]
        assert messages
        for clue in messages:
            assert required <= clue.record.keys() <= known.keys()
            for name, value in clue.record.items():
                assert value in known[name].get("codes", {value: ""}), (name, value)
            assert clue.external_id == next(iter(clue.record.values()))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _days(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


def _end(facts: dict[str, object], start: date) -> date:
    suspended = sum(_days(each["from"], each["to"]) for each in facts["suspensions"])  # type: ignore[attr-defined]
    days = (30 if facts["procedure"] == "simple" else 60) + (30 if facts["extended_on"] else 0) + suspended
    return CALENDAR.calendar_days_after(start, days, roll_forward=True).due_on
