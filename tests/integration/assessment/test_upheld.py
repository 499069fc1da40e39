"""What an upheld objection corrected is replaced only by who says so, with the reason, and one event stands."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from contracts.directory.v1.directory_pb2 import UnitKind
from contracts.roles import INSPECTOR, REVIEWER, THIRD_PARTY, UNIT_HEAD
from kernel.access.principal import Principal
from kernel.errors import RuleViolation
from kernel.ids import new_id
from kernel.storage.reach import of, within
from services.assessment.objections.rules import Answer
from services.assessment.objections.upheld import CorrectionHeld, Replacing
from services.assessment.scoring.model import STANDING
from services.assessment.sheets.rules import Item
from services.assessment.surveys.rules import Option, Question, Survey
from tests.support.events import a_unit

UNIT = "150102-scjg"
STAFF = Principal(account="ding", unit="15", unit_path="/15/", roles=frozenset({INSPECTOR, REVIEWER}))
SECOND, THIRD, FOURTH = (replace(STAFF, account=account) for account in ("yi", "bing", "wu"))
HEAD = Principal(account="fuzeren", unit=UNIT, unit_path=f"/15/150102/{UNIT}/", roles=frozenset({UNIT_HEAD}))
COMPANY = Principal(account="pingguo", unit="", unit_path="", roles=frozenset({THIRD_PARTY}))
SCALE = (Option("满意", 1000), Option("不满意", 0))
LAW, RESULT, OTHER = "SV.SITE.LAW", "A1.M1.R1", "A1.M1.R2"


@pytest.fixture
def county(fed):
    fed.units(
        a_unit("150102", path="/15/150102/", kind=UnitKind.UNIT_KIND_GOVERNMENT),
        a_unit(UNIT, parent="150102", path=f"/15/150102/{UNIT}/"),
    )
    changes = fed.app.framework_changes
    proposal = changes.propose_in_force(STAFF, "composite-50-30-20", "1", 2026, "施行")
    changes.decide(SECOND, proposal, "同意", approved=True)
    return fed


def standing(county, result):
    """(event, marks, reason) of the events of a result that stand."""
    asked = text(
        f"SELECT e.event_id, e.score_milli, e.leaf FROM event_log e WHERE e.probe = :probe AND {STANDING}"  # noqa: S608
    )
    with county.app.store.reading() as session:
        rows = session.execute(asked, {"probe": f"composite-50-30-20/{result}"}).all()
    return [(str(row.event_id), row.score_milli, row.leaf) for row in rows]


def upheld(county, event, marks=900):
    """An objection of the unit's head against an event, partly upheld by two others; returns its id."""
    objections = county.app.supervision.objections
    objection = objections.file(HEAD, event, asked="pass", grounds="核对后应为九成")
    objections.accept(THIRD, objection)
    objections.draft(THIRD, objection, Answer("partly", "经核对属实", marks))
    objections.confirm(FOURTH, objection)
    return objection


class TestSurveyCountedAgain:
    @pytest.fixture
    def counted(self, county):
        """A survey that was counted, whose one result was then corrected, and one more answer."""
        surveys = county.app.surveys
        survey = surveys.set_up(
            STAFF,
            Survey(
                id=new_id(),
                framework="composite-50-30-20",
                period="2026",
                title="满意度测评",
                way="web",
                opens_on=date(2026, 3, 1),
                closes_on=date(2026, 3, 31),
                questions=(Question("q1", "对依法办事是否满意", LAW, SCALE),),
            ),
        )
        codes = surveys.issue_codes(STAFF, survey, UNIT, 3)
        surveys.answer(codes[0], {"q1": "不满意"})
        surveys.count(STAFF, survey)
        objection = upheld(county, standing(county, LAW)[0][0])
        surveys.answer(codes[1], {"q1": "满意"})
        return survey, objection, codes[2]

    def test_is_refused_and_names_the_objection_until_something_is_said_of_it(self, county, counted):
        survey, objection, _ = counted
        before = standing(county, LAW)
        with pytest.raises(CorrectionHeld) as refused:
            county.app.surveys.count(STAFF, survey)
        assert refused.value.stable_code == "assessment.upheld_objection"
        (problem,) = refused.value.problems
        assert (problem.path, LAW in problem.message) == (f"objections.{objection}", True)
        with pytest.raises(CorrectionHeld):
            county.app.surveys.count(STAFF, survey, Replacing(replaced=[new_id()], reason="另一件"))
        assert county.app.surveys.count(STAFF, survey, Replacing(kept=[objection])) == 0
        assert standing(county, LAW) == before

    def test_replaces_with_a_reason_that_stands_in_the_event_and_on_the_objection(self, county, counted):
        survey, objection, _ = counted
        with pytest.raises(RuleViolation) as refused:
            county.app.surveys.count(STAFF, survey, Replacing(replaced=[objection], reason=" "))
        assert refused.value.stable_code == "assessment.reason_missing"
        said = Replacing(replaced=[objection], reason="申诉以后答卷已补齐")
        assert county.app.surveys.count(STAFF, survey, said) == 1
        ((event, marks, leaf),) = standing(county, LAW)  # and the correction does not count beside it
        assert (marks, said.reason in leaf, objection[:8] in leaf) == (500, True, True)
        shown = county.app.supervision.objection_reading.one(HEAD, objection)
        assert shown.replaced.event_id == event
        assert said.reason in shown.replaced.leaf["reason"]
        with county.app.store.reading() as session:
            noted = text("SELECT object FROM audit WHERE action = 'objection.correction_replaced'")
            assert session.scalars(noted).all() == [f"objections/{objection}"]

    def test_an_objection_against_the_correction_leaves_one_event_when_it_is_counted_again(
        self, county, counted
    ):
        survey, _, code = counted
        objection = upheld(county, standing(county, LAW)[0][0], marks=950)
        county.app.surveys.answer(code, {"q1": "满意"})
        county.app.surveys.count(STAFF, survey, Replacing(replaced=[objection], reason="答卷已补齐"))
        assert [marks for _, marks, _ in standing(county, LAW)] == [666]

    def test_nobody_replaces_what_was_answered_about_the_own_unit(self, county, counted):
        survey, objection, _ = counted
        insider = replace(STAFF, account="neibu", unit=UNIT)
        with pytest.raises(RuleViolation) as refused:
            county.app.surveys.count(insider, survey, Replacing(replaced=[objection], reason="重新统计"))
        assert "own" in refused.value.stable_code


class TestSheetHandedInAgain:
    @pytest.fixture
    def handed_in(self, county):
        """A sheet of two results, one of which was corrected after it was handed in."""
        (sheet,) = county.app.sheets.hand_out(
            STAFF, "third_party", "2026", [UNIT], [RESULT, OTHER], "pingguo", date(2026, 4, 1)
        )
        county.app.sheets.hand_in(COMPANY, sheet, 0, self.items(), "")
        return sheet, upheld(county, standing(county, RESULT)[0][0])

    def items(self, first=800, second=700):
        return [Item(RESULT, first, "清单未衔接两项"), Item(OTHER, second, "抽查三件")]

    def test_leaves_what_was_corrected_alone_where_its_mark_is_not_changed(self, county, handed_in):
        sheet, _ = handed_in
        with within(of(COMPANY)):  # who has no part of the tree at all
            county.app.sheets.hand_in(COMPANY, sheet, 1, self.items(second=600), "抽查有误")
        assert [marks for _, marks, _ in standing(county, RESULT)] == [900]
        assert [marks for _, marks, _ in standing(county, OTHER)] == [600]

    def test_is_refused_where_it_would_replace_a_correction_unseen(self, county, handed_in):
        sheet, objection = handed_in
        with within(of(COMPANY)), pytest.raises(CorrectionHeld) as refused:
            county.app.sheets.hand_in(COMPANY, sheet, 1, self.items(first=500), "重新评分")
        assert [problem.path for problem in refused.value.problems] == [f"objections.{objection}"]
        assert [marks for _, marks, _ in standing(county, RESULT)] == [900]
        county.app.sheets.hand_in(COMPANY, sheet, 1, self.items(first=500), "新的材料表明", [objection])
        ((_, marks, leaf),) = standing(county, RESULT)
        assert (marks, "新的材料表明" in leaf) == (500, True)
        county.app.sheets.hand_in(COMPANY, sheet, 2, self.items(first=400), "再次更正")  # said once, and done
        assert [marks for _, marks, _ in standing(county, RESULT)] == [400]
