"""A framework comes into force by two people, what was published is never edited, and every refusal names its place."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import xlsxwriter
import yaml
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from services.assessment.framework.rules import parse
from services.assessment.framework.writing import canonical, digest_of, document_of
from tests.support.events import an_event
from tests.support.reporting import FILLER, UNITS, Desk, person

WRITER = person("zhibiao", "reviewer", "15", "/15/")
OTHER = person("shenhe.sheng", "reviewer", "15", "/15/")
INSPECTOR = person("ducha.sheng", "inspector", "15", "/15/")
COUNTY_REVIEWER = person("shenhe.xian", "reviewer", "150102-sf", "/15/1501/150102/")
FIRST, SECOND = ({"framework": "outline-2015-2020", "version": version} for version in "12")
OUTLINE = "/frameworks/outline-2015-2020/1"


@pytest.fixture
def desk(fed, tmp_path):
    fed.units(*UNITS)
    return Desk(fed.app, tmp_path)


def changed(desk, version="2", **more):
    """The outline as a file, with another version and one title changed."""
    document = yaml.load(desk.ask(WRITER, "GET", f"{OUTLINE}/file?form=yaml").content, yaml.CSafeLoader)
    document["version"] = version
    document["nodes"][0]["children"][0]["title"] = "行政许可事项清单的管理"
    return document | more


def handed_in(desk, document, who=WRITER, *, dry_run=False, name="体系.yaml"):
    content = (
        document
        if isinstance(document, bytes)
        else yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True).encode()
    )
    files = {"file": (name, io.BytesIO(content))}
    return desk.ask(who, "POST", f"/framework_drafts?dry_run={str(dry_run).lower()}", files=files)


def drafted(desk, version="2", **more):
    answer = handed_in(desk, changed(desk, version, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()["draft"]


def proposed(desk, who=WRITER, **asked):
    return desk.told(who, "POST", "/framework_proposals", json=asked)["id"]


def decided(desk, who, proposal, *, approved=True):
    return desk.post(who, f"/framework_proposals/{proposal}/decision", approved=approved, note="同意")


def published(desk, version="2"):
    proposal = proposed(desk, act="publish", draft=drafted(desk, version))
    assert decided(desk, OTHER, proposal).status_code == 204


def states(desk, who=WRITER):
    return {(row["id"], row["version"]): row["state"] for row in desk.told(who, "GET", "/frameworks")}


def test_a_published_version_is_read_from_its_own_bytes_alone_and_its_digest_is_that_of_its_bytes(desk):
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT id, document, digest FROM frameworks")).all()
    assert {row.id for row in rows} == {
        "outline-2015-2020",
        "demonstration-city-county",
        "composite-50-30-20",
    }
    for row in rows:
        document = orjson.loads(row.document)
        assert row.digest == digest_of(row.document)
        assert canonical(document_of(parse(document))) == row.document
        assert all({"id", "kinds", "levels", "events"} <= group.keys() for group in document["peer_groups"])
    composite = next(orjson.loads(row.document) for row in rows if row.id.startswith("composite"))
    assert [part["weight"] for part in composite["components"]] == ["50", "30", "20"]
    assert len(composite["components"][0]["nodes"]) == 8


def test_from_draft_to_force_takes_two_people_and_the_year_follows(desk):
    draft = drafted(desk)
    assert states(desk)[("outline-2015-2020", "2")] == "draft"
    proposal = proposed(desk, act="publish", draft=draft)
    assert states(desk)[("outline-2015-2020", "2")] == "proposed"
    own = decided(desk, WRITER, proposal)
    assert (own.status_code, own.json()["code"]) == (409, "assessment.same_person")
    assert decided(desk, OTHER, proposal).status_code == 204
    assert states(desk)[("outline-2015-2020", "2")] == "published"
    in_force = proposed(desk, OTHER, act="in_force", framework="outline-2015-2020", version="2", year=2026)
    assert desk.app.frameworks.in_force(2026).version == "2"  # the newest published of the default one
    assert decided(desk, INSPECTOR, in_force).status_code == 204
    assert states(desk)[("outline-2015-2020", "2")] == "in_force"
    assert desk.app.frameworks.current().version == "2"


def test_proposals_of_a_past_day_wait_as_they_waited(desk):
    days = []

    def told(as_of=""):
        return desk.told(WRITER, "GET", f"/framework_proposals{as_of and f'?as_of={as_of}'}")

    proposal = proposed(desk, act="publish", draft=drafted(desk))
    for act in (lambda: None, lambda: decided(desk, OTHER, proposal, approved=False)):
        act()
        days.append((desk.app.store.clock.now().date().isoformat(), told()))
        desk.app.store.clock.advance(timedelta(days=1))
    proposed(desk, act="publish", draft=drafted(desk, "3"))
    assert [[row["approved"] for row in rows] for _, rows in days] == [[None], [False]]
    for day, rows in days:
        assert told(day) == rows


def test_who_wrote_the_draft_does_not_approve_it_though_another_proposed_it(desk):
    proposal = proposed(desk, OTHER, act="publish", draft=drafted(desk))
    assert decided(desk, WRITER, proposal).json()["code"] == "assessment.same_person"


def test_a_version_in_force_for_a_year_stays_that_of_the_year(desk):
    published(desk)
    composite = {"framework": "composite-50-30-20", "version": "1"}
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2026, **composite))
    frameworks = desk.app.frameworks
    assert frameworks.current().id == "composite-50-30-20"
    assert frameworks.in_force(2027).id == "composite-50-30-20"
    assert frameworks.in_force(2025).id == "outline-2015-2020"
    assert frameworks.get("outline-2015-2020", "1").version == "1"
    second = {"framework": "outline-2015-2020", "version": "2"}
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2027, **second))
    assert (frameworks.in_force(2026).id, frameworks.in_force(2027).version) == ("composite-50-30-20", "2")
    refused = desk.post(WRITER, "/framework_proposals", act="in_force", year=2025, **second)
    assert refused.json()["code"] == "assessment.wrong_year"


def test_a_year_that_is_over_keeps_the_version_that_was_carried_on_to_it(desk, fed):
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2026, **FIRST))
    published(desk)
    fed.runtime.clock.set(datetime(2028, 3, 5, tzinfo=UTC))
    assert desk.app.frameworks.in_force(2027).version == "1"
    refused = desk.post(WRITER, "/framework_proposals", act="in_force", year=2027, **SECOND)
    assert refused.json()["code"] == "assessment.year_closed"


def test_what_is_in_force_without_having_been_put_in_force_for_the_year_is_not_retired(desk, fed):
    refused = desk.post(WRITER, "/framework_proposals", act="retire", **FIRST)
    assert refused.json()["code"] == "assessment.framework_in_force"  # the default of who never chose
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2026, **FIRST))
    published(desk)
    fed.runtime.clock.set(datetime(2027, 3, 5, tzinfo=UTC))
    refused = desk.post(WRITER, "/framework_proposals", act="retire", **FIRST)
    assert refused.json()["code"] == "assessment.framework_in_force"  # carried on from 2026
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2027, **SECOND))
    assert decided(desk, INSPECTOR, proposed(desk, act="retire", **FIRST)).status_code == 204


def test_what_is_in_force_is_not_retired_and_what_is_retired_comes_no_more_into_force(desk):
    published(desk)
    one = {"framework": "outline-2015-2020", "version": "1"}
    two = {"framework": "outline-2015-2020", "version": "2"}
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2026, **two))
    refused = desk.post(WRITER, "/framework_proposals", act="retire", **two)
    assert refused.json()["code"] == "assessment.framework_in_force"
    assert decided(desk, INSPECTOR, proposed(desk, act="retire", **one)).status_code == 204
    assert states(desk)[("outline-2015-2020", "1")] == "retired"
    again = desk.post(WRITER, "/framework_proposals", act="in_force", year=2026, **one)
    assert again.json()["code"] == "assessment.framework_retired"
    assert desk.told(FILLER, "GET", OUTLINE)["version"] == "1"


def test_a_returned_draft_is_mended_as_another_draft_and_decided_once(desk):
    first = proposed(desk, act="publish", draft=drafted(desk))
    twice = desk.post(WRITER, "/framework_proposals", act="publish", draft=drafted(desk))
    assert twice.json()["code"] == "assessment.already_proposed"
    assert decided(desk, OTHER, first, approved=False).status_code == 204
    assert states(desk)[("outline-2015-2020", "2")] == "returned"
    assert decided(desk, OTHER, first).json()["code"] == "assessment.already_decided"
    mended = drafted(desk, title="修改后的体系")
    assert states(desk)[("outline-2015-2020", "2")] == "draft"
    assert decided(desk, OTHER, proposed(desk, act="publish", draft=mended)).status_code == 204
    assert desk.told(FILLER, "GET", "/frameworks/outline-2015-2020/2")["title"] == "修改后的体系"


def test_a_published_version_is_never_edited(desk):
    published(desk)
    edited = handed_in(desk, changed(desk, "2", title="另一个标题"))
    assert (edited.status_code, edited.json()["code"]) == (409, "assessment.framework_edited")
    with desk.app.store.work() as work, pytest.raises((DatabaseError, IntegrityError)):
        work.session.execute(text("UPDATE frameworks SET title = 'x'"))


def test_who_reaches_only_a_county_writes_a_draft_and_decides_nothing(desk):
    proposal = proposed(desk, act="publish", draft=drafted(desk))
    refused = decided(desk, COUNTY_REVIEWER, proposal)
    assert (refused.status_code, refused.json()["code"]) == (403, "assessment.not_for_all_units")
    assert handed_in(desk, changed(desk), COUNTY_REVIEWER).status_code == 200
    assert handed_in(desk, changed(desk), FILLER).status_code == 403
    assert ("outline-2015-2020", "2") not in states(desk, FILLER)


def test_a_copy_is_a_draft_whose_difference_is_read_as_sentences(desk):
    asked = {"framework": "outline-2015-2020", "version": "1", "new_version": "2027", "year": 2027}
    copied = desk.told(WRITER, "POST", "/framework_drafts/copies", json=asked)["id"]
    assert desk.told(OTHER, "GET", f"/framework_drafts/{copied}/difference")["changes"] == []
    draft = drafted(desk)
    (change,) = desk.told(OTHER, "GET", f"/framework_drafts/{draft}/difference")["changes"]
    assert change["kind"] == "title"
    assert change["sentence"] == (
        "A1.M1“行政许可事项清单的管理”的名称由“行政许可事项清单管理”改为“行政许可事项清单的管理”。"
    )
    assert desk.ask(OTHER, "GET", "/framework_drafts/nobody").status_code == 404


def test_a_workbook_goes_out_and_comes_back_the_same(desk):
    for framework in ("outline-2015-2020", "composite-50-30-20", "demonstration-city-county"):
        out = desk.ask(WRITER, "GET", f"/frameworks/{framework}/1/file?form=xlsx").content
        report = handed_in(desk, out, dry_run=True, name="体系.xlsx")
        assert report.json()["code"] == "assessment.framework_edited"  # it says it is version 1
        kept = desk.app.framework_changes._read("体系.xlsx", out)
        assert document_of(kept) == document_of(desk.app.frameworks.get(framework, "1"))


def test_a_dry_run_tells_every_fault_with_its_line_and_keeps_nothing(desk):
    document = changed(desk)
    document["nodes"][0]["children"][0]["children"][0]["points"]["townships"] = "9"
    document["nodes"][0]["children"][0]["lead"] = "astronomy"
    report = handed_in(desk, document, dry_run=True).json()
    codes = {problem["code"] for problem in report["problems"]}
    assert {"unknown_field", "total_not_100", "points_do_not_add_up"} <= codes
    lines = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True).splitlines()
    place = next(p["path"] for p in report["problems"] if p["code"] == "unknown_field")
    assert "astronomy" in lines[int(place.rsplit(":", 1)[1]) - 1]
    assert ("outline-2015-2020", "2") not in states(desk)
    refused = handed_in(desk, document)
    assert (refused.status_code, refused.json()["code"]) == (422, "catalog.invalid")
    assert ("outline-2015-2020", "2") not in states(desk)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"a: [", "x.yaml", "catalog.invalid"),
        (b"\xff\xfe", "x.yaml", "catalog.invalid"),
        (b"nothing", "x.docx", "assessment.wrong_file_type"),
        (b"PK\x03\x04nothing", "x.xlsx", "assessment.broken_file"),
        (b"x" * (8 * 1024 * 1024 + 1), "x.yaml", "assessment.file_too_large"),
    ],
)
def test_what_is_no_framework_is_refused(desk, content, name, code):
    refused = handed_in(desk, content, name=name)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_a_workbook_that_would_burst_is_not_inflated(desk):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", bytes(110 * 1024 * 1024))
    refused = handed_in(desk, packed.getvalue(), name="x.xlsx")
    assert (refused.status_code, refused.json()["code"]) == (422, "assessment.zip_bomb")


def test_a_workbook_of_other_sheets_is_refused(desk):
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.add_worksheet("别的").write_string(0, 0, "x")
    assert handed_in(desk, packed.getvalue(), name="x.xlsx").json()["code"] == "assessment.missing_sheet"


def test_every_step_is_audited_with_the_hand_that_did_it(desk):
    published(desk)
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT action, actor FROM audit ORDER BY seq")).all()
    acts = [(row.action, row.actor) for row in rows if row.actor != "system"]
    assert acts == [
        ("framework.drafted", "zhibiao"),
        ("framework.publish_proposed", "zhibiao"),
        ("framework.published", "shenhe.sheng"),
        ("framework.publish_approved", "shenhe.sheng"),
    ]


def test_every_year_is_ranked_by_the_framework_in_force_for_it(fed, desk):
    fed.events(
        an_event(occurred_at=datetime(2025, 6, 5, 2, 0, tzinfo=UTC)),
        an_event(occurred_at=datetime(2026, 2, 5, 2, 0, tzinfo=UTC), subject="enforcement/cases/2"),
    )
    fed.app.roll_up.catch_up()

    def ranked_by(year):
        found = desk.told(FILLER, "GET", f"/rankings?peer_group=county_departments&period={year}")
        scored = [row["unit"]["code"] for row in found["rows"] if row["score"] is not None]
        return found["framework"]["id"], scored

    assert ranked_by(2025) == ranked_by(2026) == ("outline-2015-2020", ["150102-scjg"])
    composite = {"framework": "composite-50-30-20", "version": "1"}
    decided(desk, INSPECTOR, proposed(desk, act="in_force", year=2026, **composite))
    fed.app.roll_up.catch_up()
    assert ranked_by(2025) == ("outline-2015-2020", ["150102-scjg"])
    assert ranked_by(2026) == ("composite-50-30-20", ["150102-scjg"])
    fed.events(an_event(occurred_at=datetime(2025, 7, 5, 2, 0, tzinfo=UTC), subject="enforcement/cases/3"))
    fed.app.roll_up.catch_up()
    assert ranked_by(2025) == ("outline-2015-2020", ["150102-scjg"])
