"""A unit contests a datum: answered with reasons by two others; what is upheld is corrected by a new event."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import select, text

from contracts.findings import Outcome
from services.assessment.objections.model import OBJECTION_EVENTS, OBJECTIONS
from services.assessment.objections.rules import replay
from services.assessment.rectification.timeline import facts_of
from services.assessment.scoring.model import EVENT_LOG, STANDING
from tests.support.events import a_message, an_event
from tests.support.supervision import (
    CHECKER,
    CITY_INSPECTOR,
    CLERK,
    COUNTY,
    FOREIGN_INSPECTOR,
    HEAD,
    ISSUER,
    OTHER_HEAD,
    OWN_INSPECTOR,
    SECOND,
    UNIT,
    Desk,
    county,
)

GROUPS = "/rankings/contested?period=2026&peer_group=county_departments"


@pytest.fixture
def desk(fed, tmp_path):
    county(fed)
    return Desk(fed, tmp_path)


@pytest.fixture
def late(desk):
    """Three decisions in time and one that the log says was late."""
    failed = an_event(outcome=Outcome.FAIL, subject="enforcement/cases/late", recorded_at=desk.clock.now())
    desk.fed.events(*(an_event(subject=f"enforcement/cases/{n}") for n in range(3)), failed)
    desk.app.roll_up.catch_up()
    return failed


def file(desk, event, expect=201, who=HEAD, **more):
    body = {"event": event.id, "asked": "pass", "grounds": "检验期间应当扣除"} | more
    return desk.do(who, "/objections", expect, **body)


def drafted(desk, event, outcome="upheld", **more):
    objection = file(desk, event)["id"]
    desk.do(ISSUER, f"/objections/{objection}/acceptance")
    desk.do(ISSUER, f"/objections/{objection}/draft", outcome=outcome, reasons="检验报告属实", **more)
    return objection


def points(desk, unit=UNIT):
    desk.app.roll_up.catch_up()
    return Decimal(desk.get(CITY_INSPECTOR, f"/units/{unit}/score?period=2026")["score"])


def rows_repeat_their_facts(desk):
    with desk.app.store.reading() as session:
        rows = session.execute(select(OBJECTIONS)).all()
        facts = facts_of(session, OBJECTION_EVENTS, [row.id for row in rows])
    for row in rows:
        progress = replay(facts[row.id])
        assert (row.state, row.version, row.due_at, row.outcome, row.drafter) == (
            progress.state,
            progress.version,
            progress.due_at,
            progress.outcome,
            progress.drafter,
        )
    return len(rows)


def test_an_upheld_objection_against_another_service_runs_until_that_service_corrects(desk, late):
    objection = drafted(desk, late)
    waiting = desk.do(CHECKER, f"/objections/{objection}/confirmation")
    assert (waiting["state"], waiting["outcome"]) == ("correcting", "")
    assert waiting["due_at"] is not None
    assert desk.app.supervision.objections.follow() == 0
    better = an_event(subject="enforcement/cases/late", corrects=late.id, recorded_at=desk.clock.now())
    desk.fed.events(better)
    assert [desk.app.supervision.objections.follow() for _ in range(2)] == [1, 0]
    done = desk.get(HEAD, f"/objections/{objection}")
    assert (done["state"], done["outcome"], done["correction"]) == ("closed", "upheld", better.id)
    assert [fact["kind"] for fact in done["facts"]] == [
        "filed",
        "accepted",
        "drafted",
        "transferred",
        "corrected",
    ]
    assert rows_repeat_their_facts(desk) == 1


def overdue_order(desk):
    """An own datum of assessment: an order that ran late counts against the unit."""
    order = desk.issue(due_on="2026-03-10")
    desk.pass_days(6)
    desk.app.supervision.escalate()
    with desk.app.store.reading() as session:
        row = session.execute(select(EVENT_LOG).where(EVENT_LOG.c.probe == "ASM-02")).one()
    return order, row


def test_an_upheld_objection_against_an_own_fact_is_corrected_at_once_and_both_stay(desk):
    order, datum = overdue_order(desk)
    objection = desk.do(
        HEAD, "/objections", 201, event=datum.event_id, asked="not_applicable", grounds="系统停机"
    )["id"]
    desk.do(CHECKER, f"/objections/{objection}/acceptance")
    desk.do(CHECKER, f"/objections/{objection}/draft", outcome="upheld", reasons="停机属实")
    done = desk.do(SECOND, f"/objections/{objection}/confirmation")
    assert (done["state"], done["outcome"]) == ("closed", "upheld")
    with desk.app.store.reading() as session:
        events = session.execute(
            select(EVENT_LOG).where(EVENT_LOG.c.probe == "ASM-02").order_by(EVENT_LOG.c.seq)
        ).all()
    assert [event.outcome for event in events] == [Outcome.FAIL, Outcome.NOT_APPLICABLE]
    assert events[1].corrects == datum.event_id
    assert done["correction"] == events[1].event_id == desk.get(ISSUER, f"/orders/{order}")["scored_event"]


@pytest.mark.parametrize("ends", ["before the answer", "after the answer"])
def test_an_upheld_objection_against_an_order_run_late_holds_whenever_the_order_ends(desk, ends):
    order, datum = overdue_order(desk)
    objection = desk.do(HEAD, "/objections", 201, event=datum.event_id, asked="pass", grounds="系统停机")[
        "id"
    ]
    desk.do(CHECKER, f"/objections/{objection}/acceptance")
    desk.do(CHECKER, f"/objections/{objection}/draft", outcome="upheld", reasons="停机属实")

    def end():
        desk.do(CLERK, f"/orders/{order}/answer", statement="均已作出决定")
        desk.do(CHECKER, f"/orders/{order}/check", is_met=True, note="已逐件核对")
        desk.do(ISSUER, f"/orders/{order}/closing", outcome="rectified", note="整改到位")

    if ends == "before the answer":
        end()
    done = desk.do(SECOND, f"/objections/{objection}/confirmation")
    assert (done["state"], done["outcome"]) == ("closed", "upheld")
    if ends == "after the answer":
        end()
    standing = text(
        f"SELECT e.event_id, e.outcome FROM {EVENT_LOG.name} e WHERE e.probe = 'ASM-02' AND {STANDING}"  # noqa: S608
    )
    with desk.app.store.reading() as session:
        ((event, outcome),) = session.execute(standing).all()
    assert outcome == Outcome.PASS
    assert str(event) == desk.get(ISSUER, f"/orders/{order}")["scored_event"]


def test_a_partly_upheld_objection_gives_part_of_the_marks(desk):
    _, datum = overdue_order(desk)
    objection = desk.do(HEAD, "/objections", 201, event=datum.event_id, asked="pass", grounds="部分属实")[
        "id"
    ]
    desk.do(CHECKER, f"/objections/{objection}/acceptance")
    desk.do(CHECKER, f"/objections/{objection}/draft", 422, outcome="partly", reasons="少了分值")
    desk.do(CHECKER, f"/objections/{objection}/draft", outcome="partly", reasons="一半属实", score_milli=500)
    correction = desk.do(SECOND, f"/objections/{objection}/confirmation")["correction"]
    with desk.app.store.reading() as session:
        event = session.execute(select(EVENT_LOG).where(EVENT_LOG.c.event_id == correction)).one()
    assert (event.outcome, event.score_milli) == (Outcome.FAIL, 500)


def test_who_made_the_datum_or_belongs_to_the_unit_does_not_answer(desk):
    _, datum = overdue_order(desk)
    objection = desk.do(HEAD, "/objections", 201, event=datum.event_id, asked="pass", grounds="x")["id"]
    assert desk.do(ISSUER, f"/objections/{objection}/acceptance", 409)["code"] == "assessment.own_datum"
    assert (
        desk.do(OWN_INSPECTOR, f"/objections/{objection}/acceptance", 409)["code"] == "assessment.own_matter"
    )
    assert desk.get(ISSUER, f"/objections/{objection}")["can"] == []
    assert desk.get(CHECKER, f"/objections/{objection}")["can"] == ["accepted", "refused"]


def test_a_second_person_confirms(desk, late):
    objection = drafted(desk, late)
    assert desk.do(ISSUER, f"/objections/{objection}/confirmation", 409)["code"] == "assessment.second_person"
    desk.do(CHECKER, f"/objections/{objection}/return", note="理由不足")
    assert desk.get(HEAD, f"/objections/{objection}")["state"] == "accepted"


def test_a_rejected_objection_changes_nothing_and_cannot_be_filed_again(desk, late):
    objection = drafted(desk, late, outcome="rejected")
    before = points(desk)
    done = desk.do(CHECKER, f"/objections/{objection}/confirmation")
    assert (done["state"], done["outcome"], done["correction"]) == ("closed", "rejected", None)
    assert points(desk) == before
    assert file(desk, late, 409)["code"] == "assessment.contested_already"


def test_a_refused_objection_may_be_filed_again(desk, late):
    objection = file(desk, late)["id"]
    refused = desk.do(ISSUER, f"/objections/{objection}/refusal", note="请写明理由")
    again = file(desk, late)
    assert (refused["state"], again["state"]) == ("closed", "filed")
    assert again["id"] != objection


def test_a_withdrawn_objection_ends(desk, late):
    objection = file(desk, late)["id"]
    done = desk.do(HEAD, f"/objections/{objection}/withdrawal", note="已核实无误")
    assert (done["state"], done["outcome"]) == ("closed", "withdrawn")


def test_only_the_head_of_the_unit_contests_and_only_its_own_data(desk, late):
    file(desk, late, 403, who=CLERK)
    file(desk, late, 404, who=OTHER_HEAD)
    assert desk.get(HEAD, "/objections")["total"] == 0


def test_what_is_contested_is_contested_in_time(desk, late):
    desk.pass_days(30)
    assert file(desk, late, 409)["code"] == "assessment.objection_too_late"


def test_the_last_day_of_filing_is_inside(desk, late):
    last = desk.app.supervision.objections.last_day(desk.clock.now())
    assert str(last) == "2026-03-19"
    desk.pass_days(14)
    file(desk, late)


def test_a_corrected_datum_is_not_contested(desk, late):
    desk.fed.events(an_event(subject="enforcement/cases/late", corrects=late.id))
    assert file(desk, late, 409)["code"] == "assessment.datum_corrected"


def test_who_is_elsewhere_learns_nothing_of_an_objection(desk, late):
    objection = file(desk, late)["id"]
    for who in (OTHER_HEAD, FOREIGN_INSPECTOR):
        assert desk.ask(who, "GET", f"/objections/{objection}").status_code == 404
        assert desk.get(who, "/objections")["total"] == 0
    assert desk.ask(FOREIGN_INSPECTOR, "POST", f"/objections/{objection}/acceptance").status_code == 404


def test_a_ranking_shows_exactly_the_points_that_an_upheld_objection_would_bring(desk, late):
    before, of_county = points(desk), points(desk, COUNTY)
    assert desk.get(OTHER_HEAD, GROUPS)["units"] == {}
    objection = drafted(desk, late)
    contested = Decimal(desk.get(OTHER_HEAD, GROUPS)["units"][UNIT])
    above = desk.get(OTHER_HEAD, GROUPS.replace("departments", "governments"))["units"].get(COUNTY)
    assert contested > 0
    desk.do(CHECKER, f"/objections/{objection}/confirmation")
    desk.fed.messages(
        a_message(an_event(subject="enforcement/cases/late", corrects=late.id, recorded_at=desk.clock.now()))
    )
    assert points(desk) - before == contested
    if above is not None:
        assert points(desk, COUNTY) - of_county == Decimal(above)
    desk.app.supervision.objections.follow()
    assert desk.get(OTHER_HEAD, GROUPS)["units"] == {}


def test_points_in_dispute_as_of_a_day_are_those_that_were_shown_on_it(desk, late):
    def shown(as_of=""):
        desk.app.roll_up.catch_up()
        return desk.get(OTHER_HEAD, GROUPS + as_of)

    then = {}

    def the_day_ends():
        then[desk.clock.now().date().isoformat()] = shown()
        desk.pass_days(1)

    the_day_ends()
    objection = drafted(desk, late)
    the_day_ends()
    desk.do(CHECKER, f"/objections/{objection}/confirmation")
    corrected = an_event(subject="enforcement/cases/late", corrects=late.id, recorded_at=desk.clock.now())
    desk.fed.messages(a_message(corrected))
    desk.app.supervision.objections.follow()
    the_day_ends()
    assert [UNIT in told["units"] for told in then.values()] == [False, True, False]
    assert {day: shown(f"&as_of={day}") for day in then} == then


def published(desk, at_seq, upto="2026-03", group="county_departments"):
    """Unit -> points in dispute, in what would be published of a year until a month as of so many events."""
    publications, framework = desk.app.publications, desk.app.frameworks.in_force(2026)
    with desk.app.store.reading() as session:
        board = publications.board(session, framework, group, "2026", upto, at_seq)
        lines = [orjson.loads(line) for line in publications.scores(session, board).splitlines()]
    return {line["unit"]: Decimal(line["contested"]) for line in lines if Decimal(line["contested"])}


def test_what_is_published_tells_the_points_in_dispute_of_its_months_at_its_event_and_always_the_same(
    desk, late
):
    def arrives(subject, **more):
        desk.clock.advance(timedelta(hours=1))
        desk.fed.events(an_event(subject=subject, recorded_at=desk.clock.now(), **more))
        desk.app.roll_up.catch_up()

    desk.clock.advance(timedelta(hours=1))
    objection = file(desk, late)["id"]
    arrives("enforcement/cases/5")
    live = Decimal(desk.get(OTHER_HEAD, GROUPS)["units"][UNIT])
    above = published(desk, 5, group="county_governments")
    assert published(desk, 5) == {UNIT: live}
    assert above.keys() == {COUNTY}
    assert published(desk, 4) == {}  # when the fourth was received nobody had objected
    assert published(desk, 5, "2026-02") == {}  # the datum is of March
    arrives("enforcement/cases/late", corrects=late.id)
    desk.clock.advance(timedelta(hours=1))
    desk.do(HEAD, f"/objections/{objection}/withdrawal", note="已经更正")
    assert desk.get(OTHER_HEAD, GROUPS)["units"] == published(desk, 6) == {}
    assert published(desk, 5) == {UNIT: live}
    assert published(desk, 5, group="county_governments") == above


def test_what_a_unit_contests_of_its_own_report_moves_nothing_of_the_government_above(desk):
    own = "outline-2015-2020/A1.M1.R1"
    of_unit, of_county = (
        an_event(unit=unit, probe=own, source="assessment", outcome=Outcome.FAIL, score_milli=500)
        for unit in (UNIT, COUNTY)
    )
    desk.fed.messages(a_message(of_unit, of_county, source="assessment"))
    desk.app.roll_up.catch_up()
    file(desk, of_unit)
    assert desk.get(OTHER_HEAD, GROUPS)["units"].keys() == {UNIT}
    assert desk.get(OTHER_HEAD, GROUPS.replace("departments", "governments"))["units"] == {}


def test_taking_a_datum_out_may_be_asked_too(desk, late):
    file(desk, late, asked="not_applicable")
    assert Decimal(desk.get(HEAD, GROUPS)["units"][UNIT]) > 0


def test_an_unanswered_objection_goes_up_once_for_each_due_time(desk, late):
    objection = file(desk, late)["id"]
    desk.pass_days(10)
    assert [desk.app.supervision.escalate() for _ in range(2)] == [1, 0]
    desk.do(ISSUER, f"/objections/{objection}/acceptance")
    desk.pass_days(40)
    assert [desk.app.supervision.escalate() for _ in range(2)] == [1, 0]
    seen = desk.get(CITY_INSPECTOR, f"/objections/{objection}")
    assert seen["is_overdue"]
    assert [fact["kind"] for fact in seen["facts"]] == ["filed", "escalated", "accepted", "escalated"]
    assert rows_repeat_their_facts(desk) == 1
    running, overdue, oldest_seconds = desk.app.supervision.objection_reading.waiting()
    assert (running, overdue) == (1, 1)
    assert oldest_seconds == 50 * 86_400


def test_proof_is_handed_in_and_read_by_those_who_answer(desk, late):
    objection = file(desk, late)["id"]
    kept = desk.hand_in(HEAD, f"/objections/{objection}/files", "说明.txt", "检验自三月一日起".encode())
    assert kept.status_code == 201, kept.text
    place = kept.json()["place"].removeprefix("/api/assessment/v1")
    assert desk.ask(ISSUER, "GET", place).content.decode() == "检验自三月一日起"
    assert desk.ask(OTHER_HEAD, "GET", place).status_code == 404
