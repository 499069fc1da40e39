"""What people outside say and what those who look on site find becomes score facts like any other."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.roles import INSPECTOR, REVIEWER, THIRD_PARTY
from kernel.access.principal import Principal
from kernel.errors import Conflict, Invalid, NotFound, RuleViolation
from kernel.files.intake import checked
from kernel.ids import new_id
from kernel.storage.reach import NOTHING, within
from services.assessment.surveys.rules import Option, Question, Survey
from tests.support.events import a_unit

STAFF = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR, REVIEWER}))
OTHER = replace(STAFF, account="yi")
COMPANY = Principal(account="pingguo", unit="", unit_path="", roles=frozenset({THIRD_PARTY}))
UNIT = "150102-scjg"
SCALE = (Option("满意", 1000), Option("基本满意", 600), Option("不满意", 0))


@pytest.fixture
def county(fed):
    fed.units(
        a_unit("150102", path="/15/150102/", kind=UnitKind.UNIT_KIND_GOVERNMENT),
        a_unit(UNIT, parent="150102", path=f"/15/150102/{UNIT}/"),
        a_unit("150102-sf", parent="150102", path="/15/150102/150102-sf/"),
    )
    changes = fed.app.framework_changes
    proposal = changes.propose_in_force(STAFF, "composite-50-30-20", "1", 2026, "施行")
    changes.decide(OTHER, proposal, "同意", approved=True)
    return fed


def a_survey(way="web", **more):
    given = {
        "id": new_id(),
        "framework": "composite-50-30-20",
        "period": "2026",
        "title": "法治政府建设满意度测评",
        "way": way,
        "opens_on": date(2026, 3, 1),
        "closes_on": date(2026, 3, 31),
        "questions": (
            Question("q1", "对依法办事是否满意", "SV.SITE.LAW", SCALE),
            Question("q2", "对执法规范公正文明是否满意", "SV.SITE.ENF", SCALE),
        ),
    }
    return Survey(**given | more)


def facts(county, probe):
    with county.app.store.reading() as session:
        statement = text(
            "SELECT unit, numerator, denominator, corrects, mode FROM event_log WHERE probe = :p ORDER BY seq"
        )
        return session.execute(statement, {"p": f"composite-50-30-20/{probe}"}).all()


def months(county):
    """Of all facts that assessment collected itself."""
    with county.app.store.reading() as session:
        return session.scalars(text("SELECT period FROM event_log WHERE probe LIKE '%/%' ORDER BY seq")).all()


def a_file(county, rows, name="答卷.csv"):
    content = "\n".join(",".join(row) for row in rows).encode("utf-8-sig")
    return checked(io.BytesIO(content), name, county.app.blobs)


class TestSurveys:
    def test_answers_become_one_fact_a_result_that_says_how_many_answered(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        codes = county.app.surveys.issue_codes(STAFF, survey, UNIT, 3)
        for code, word in zip(codes, ("满意", "基本满意", "不满意"), strict=True):
            county.app.surveys.answer(code, {"q1": word, "q2": "满意"})
        assert county.app.surveys.count(STAFF, survey) == 2
        assert [tuple(row) for row in facts(county, "SV.SITE.LAW")] == [(UNIT, 1600, 3000, None, 4)]
        assert [row.numerator for row in facts(county, "SV.SITE.ENF")] == [3000]

    def test_who_answers_several_questions_about_one_result_is_one_person(self, county):
        about = [Question(f"q{n}", f"第{n}题", "SV.SITE.LAW", SCALE) for n in range(1, 4)]
        survey = county.app.surveys.set_up(STAFF, a_survey(questions=tuple(about)))
        codes = county.app.surveys.issue_codes(STAFF, survey, UNIT, 2)
        county.app.surveys.answer(codes[0], {"q1": "满意", "q2": "满意", "q3": "基本满意"})
        county.app.surveys.answer(codes[1], dict.fromkeys(("q1", "q2", "q3"), "基本满意"))
        assert county.app.surveys.count(STAFF, survey) == 1
        (fact,) = facts(county, "SV.SITE.LAW")
        assert (fact.numerator, fact.denominator) == (867 + 600, 2000)  # two people, not six
        _, (progress,) = county.app.surveys.one(STAFF, survey)
        assert (progress.answers, progress.counted) == (2, 2)

    def test_counted_again_after_more_answers_the_fact_before_is_corrected(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        codes = county.app.surveys.issue_codes(STAFF, survey, UNIT, 2)
        county.app.surveys.answer(codes[0], {"q1": "满意", "q2": "满意"})
        county.app.surveys.count(STAFF, survey)
        assert county.app.surveys.count(STAFF, survey) == 0
        county.app.surveys.answer(codes[1], {"q1": "不满意", "q2": "满意"})
        county.app.surveys.count(STAFF, survey)
        found = facts(county, "SV.SITE.LAW")
        assert [(row.numerator, row.denominator) for row in found] == [(1000, 1000), (1000, 2000)]
        assert found[1].corrects is not None

    def test_counted_by_two_at_once_every_answer_counts_once(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
        county.app.surveys.answer(code, {"q1": "满意", "q2": "满意"})
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(lambda _: county.app.surveys.count(STAFF, survey), range(4)))
        assert sorted(told) == [0, 0, 0, 2]
        assert len(facts(county, "SV.SITE.LAW")) == 1

    def test_a_survey_of_a_past_day_has_what_had_come_by_then(self, county):
        clock, surveys, then = county.app.store.clock, county.app.surveys, {}

        def shown(day=None):
            return [
                (survey, answers, surveys.one(STAFF, survey.id, day))
                for survey, answers in surveys.every(STAFF, day)
            ]

        def codes():
            issued.extend(surveys.issue_codes(STAFF, survey, UNIT, 2))

        def answer():
            surveys.answer(issued.pop(), {"q1": "满意", "q2": "不满意"})

        survey, issued = surveys.set_up(STAFF, a_survey()), []
        for act in (lambda: None, codes, answer, lambda: surveys.count(STAFF, survey), answer):
            act()
            then[clock.now().date()] = shown()
            clock.advance(timedelta(days=1))
        surveys.set_up(STAFF, a_survey())
        assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
        for day, pages in then.items():
            assert shown(day) == pages, day
        assert surveys.every(STAFF, date(2026, 3, 4)) == []

    def test_a_survey_of_a_year_that_ends_after_it_counts_in_that_year(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey(closes_on=date(2027, 1, 15)))
        (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
        county.app.store.clock.set(datetime(2027, 1, 10, tzinfo=UTC))
        county.app.surveys.answer(code, {"q1": "满意", "q2": "满意"})
        county.app.surveys.count(STAFF, survey)
        assert months(county) == ["2026-12", "2026-12"]

    def test_a_code_answers_once_and_a_made_up_one_never(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
        county.app.surveys.answer(f" {code[:6].lower()}-{code[6:]} ", {"q1": "满意", "q2": "满意"})
        with pytest.raises(Conflict) as refused:
            county.app.surveys.answer(code, {"q1": "不满意", "q2": "不满意"})
        assert refused.value.stable_code == "assessment.code_used"
        with pytest.raises(NotFound):
            county.app.surveys.answer("ABCDEFGHJKMN", {"q1": "满意", "q2": "满意"})

    @pytest.mark.parametrize(
        "answers", [{"q1": "满意"}, {"q1": "满意", "q2": "极好"}, {"q1": "满意", "q2": "满意", "q3": "满意"}]
    )
    def test_an_answer_that_leaves_something_out_is_refused(self, county, answers):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
        with pytest.raises(Invalid):
            county.app.surveys.answer(code, answers)

    def test_nobody_answers_outside_the_days_of_the_survey(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey(closes_on=date(2026, 3, 4)))
        (code,) = county.app.surveys.issue_codes(STAFF, survey, UNIT, 1)
        with pytest.raises(RuleViolation) as refused:
            county.app.surveys.answer(code, {"q1": "满意", "q2": "满意"})
        assert refused.value.stable_code == "assessment.survey_closed"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"questions": ()}, "questions"),
            ({"closes_on": date(2026, 2, 1)}, "dates"),
            ({"period": "2027"}, "period"),
            ({"questions": (Question("q1", "x", "A1.M1.R1", SCALE),)}, "unknown_result"),
            ({"questions": (Question("q1", "x", "SV.SITE.LAW", SCALE[:1]),)}, "options"),
            ({"questions": (Question("q1", "x", "SV.SITE.LAW", SCALE[:2]),)}, "marks"),
            ({"framework": "outline-2015-2020"}, "framework"),
        ],
    )
    def test_a_survey_that_cannot_measure_is_refused(self, county, change, code):
        with pytest.raises(Invalid) as refused:
            county.app.surveys.set_up(STAFF, a_survey(**change))
        assert code in {problem.code for problem in refused.value.problems}


class TestFilesOfAnswers:
    HEADER = ("单位代码", "q1", "q2")

    def test_a_file_is_shown_dry_first_and_taken_once(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        kept = a_file(county, [self.HEADER, *([(UNIT, "满意", "基本满意")] * 4)])
        dry = county.app.surveys.take_file(STAFF, survey, kept, confirm=False)
        assert (dry.answers, dry.units, dry.taken) == (4, 1, False)
        assert county.app.surveys.count(STAFF, survey) == 0
        assert county.app.surveys.take_file(STAFF, survey, kept, confirm=True).taken
        with pytest.raises(Conflict) as refused:
            county.app.surveys.take_file(STAFF, survey, kept, confirm=True)
        assert refused.value.stable_code == "assessment.already_imported"
        county.app.surveys.count(STAFF, survey)
        assert [row.denominator for row in facts(county, "SV.SITE.LAW")] == [4000]

    def test_all_rows_or_none(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        kept = a_file(
            county, [self.HEADER, (UNIT, "满意", "满意"), ("999", "满意", "满意"), (UNIT, "还行", "满意")]
        )
        found = county.app.surveys.take_file(STAFF, survey, kept, confirm=True)
        assert not found.taken
        assert {(fault.row, fault.column, fault.code) for fault in found.faults} == {
            (3, "单位代码", "unknown_unit"),
            (4, "q1", "answer"),
        }
        assert county.app.surveys.every(STAFF)[0][1] == 0

    def test_a_missing_column_is_named(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        found = county.app.surveys.take_file(
            STAFF, survey, a_file(county, [("单位代码", "q1")]), confirm=False
        )
        assert [(fault.column, fault.code) for fault in found.faults] == [("q2", "no_column")]


class TestWhoSurveysWhom:
    """Staff of one county do not ask, count or read about units of another (P5)."""

    ELSEWHERE = replace(STAFF, account="elsewhere", unit="150103-sf", unit_path="/15/150103/")

    def answered(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        kept = a_file(county, [TestFilesOfAnswers.HEADER, *([(UNIT, "满意", "满意")] * 3)])
        county.app.surveys.take_file(STAFF, survey, kept, confirm=True)
        return survey, kept

    def test_codes_are_issued_about_units_in_reach_only(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey())
        said = []
        for unit in (UNIT, "no-such"):
            with pytest.raises(NotFound) as refused:
                county.app.surveys.issue_codes(self.ELSEWHERE, survey, unit, 1)
            said.append(refused.value.text)
        assert said[0] == said[1]

    def test_answers_about_a_unit_out_of_reach_are_those_of_an_unknown_unit(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        kept = a_file(county, [TestFilesOfAnswers.HEADER, (UNIT, "满意", "满意")])
        found = county.app.surveys.take_file(self.ELSEWHERE, survey, kept, confirm=True)
        assert (found.taken, [fault.code for fault in found.faults]) == (False, ["unknown_unit"])

    def test_nothing_of_units_out_of_reach_is_counted_or_shown(self, county):
        survey, kept = self.answered(county)
        assert county.app.surveys.count(self.ELSEWHERE, survey) == 0
        assert county.app.surveys.one(self.ELSEWHERE, survey)[1] == []
        with pytest.raises(NotFound):
            county.app.surveys.file_of(self.ELSEWHERE, survey, kept.digest)
        assert county.app.surveys.file_of(STAFF, survey, kept.digest)[0] == kept.name
        assert [row.unit for row in county.app.surveys.one(STAFF, survey)[1] if row.answers] == [UNIT]
        assert county.app.surveys.count(STAFF, survey) == 2

    def test_a_survey_of_a_county_is_for_the_county_and_those_above_and_in_it(self, county):
        theirs = replace(STAFF, account="county", unit="150102", unit_path="/15/150102/")
        within_it = replace(STAFF, account="office", unit="150102-sf", unit_path="/15/150102/150102-sf/")
        surveys = county.app.surveys
        survey = surveys.set_up(theirs, a_survey())
        (code,) = surveys.issue_codes(theirs, survey, UNIT, 1)
        with within(NOTHING):  # as whoever holds a code, who never signs in
            assert surveys.by_code(code)[0].id == survey
            surveys.answer(code, {"q1": "满意", "q2": "满意"})
            with pytest.raises(Conflict):
                surveys.by_code(code)
        assert [[answers for _, answers in surveys.every(who)] for who in (STAFF, theirs, within_it)] == [
            [1],
            [1],
            [0],  # the answer is about another unit
        ]
        assert surveys.every(self.ELSEWHERE) == []
        for ask in (surveys.one, surveys.count):
            with pytest.raises(NotFound):
                ask(self.ELSEWHERE, survey)

    def test_a_file_with_answers_about_others_is_taken_once_and_given_to_nobody_who_sees_a_part(self, county):
        survey = county.app.surveys.set_up(STAFF, a_survey("telephone"))
        rows = [TestFilesOfAnswers.HEADER, (UNIT, "满意", "满意"), ("150102-sf", "满意", "满意")]
        kept = a_file(county, rows)
        assert county.app.surveys.take_file(STAFF, survey, kept, confirm=True).taken
        part = replace(STAFF, account="part", unit=UNIT, unit_path=f"/15/150102/{UNIT}/")
        with pytest.raises(NotFound):
            county.app.surveys.file_of(part, survey, kept.digest)
        again = a_file(county, rows)
        with pytest.raises(Conflict):
            county.app.surveys.take_file(replace(STAFF, account="again"), survey, again, confirm=True)


def test_a_closed_year_takes_no_more_answers(county):
    county.app.ledger.needed = 0
    county.app.closings.ask(STAFF, "2026", "close_asked", "年度结束")
    county.app.closings.confirm(OTHER, "2026", agreed=True)
    with pytest.raises(RuleViolation) as refused:
        county.app.surveys.set_up(STAFF, a_survey())
    assert refused.value.stable_code == "assessment.period_closed"
