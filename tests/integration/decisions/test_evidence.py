"""What was handed in about a decision is kept as it came, named by every event, and for those who may see it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel.access.principal import SYSTEM, Principal
from tests.integration.decisions.conftest import CITY, LAWYER, LEADER, OFFICE, STRANGER, Desk
from tests.integration.decisions.test_http import Browser
from tests.support import papers
from tests.support.decisions import COURSE, GOVERNMENT

YEAR_END = datetime(2026, 12, 31, 4, tzinfo=UTC)


@pytest.fixture
def browser(desk: Desk, tmp_path: Path) -> Browser:
    return Browser(desk, tmp_path)


def a_dossier(number: str, **facts: Any) -> dict[str, Any]:
    given = {
        "proposal": {"source": "department", "date": "2026-01-05"},
        "start": {"date": "2026-01-26"},
        "decided_on": "2026-05-18",
        "publication": [{"channel": "gazette", "date": "2026-05-20"}],
        "review": {"unit": "150102-sf", "advisers": [{"name": "王某某"}]},
    }
    return {"number": number, "unit": GOVERNMENT, "title": "停车设施建设方案", "facts": given | facts}


def get(browser: Browser, who: Principal, place: str) -> httpx.Response:
    """As the console follows a place: an absolute path."""
    return browser.ask(who, "GET", place.removeprefix("/api/decisions/v1"))


def upload(
    browser: Browser,
    who: Principal,
    decision: str,
    name: str,
    content: bytes,
    material: str = "review_opinion",
) -> httpx.Response:
    files = {"file": (name, content, "application/octet-stream")}
    return browser.ask(who, "POST", f"/decisions/{decision}/files", files=files, data={"material": material})


def test_every_event_of_a_dossier_names_it_and_gives_out_its_very_bytes(desk: Desk, browser: Browser) -> None:
    desk.clock.set(YEAR_END)
    desk.app.intake.load(SYSTEM, [a_dossier(f"{n}号") for n in range(5)])
    events = desk.events()
    assert len({event.subject for event in events}) == 5
    for event in events:
        (evidence,) = event.evidence
        assert (evidence.name, evidence.media_type) == ("决策程序卷宗.json", "application/json")
        assert evidence.place.startswith(
            f"/api/decisions/v1/{event.subject.removeprefix('decisions/')}/evidence/"
        )
    for evidence in {event.subject: event.evidence[0] for event in events}.values():
        answer = get(browser, CITY, evidence.place)
        assert evidence.digest == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert orjson.loads(answer.content)["title"] == "停车设施建设方案"
        assert get(browser, STRANGER, evidence.place).status_code == 404


def test_a_batch_is_one_blob_and_names_nobody(desk: Desk) -> None:
    desk.clock.set(YEAR_END)
    desk.app.intake.load(SYSTEM, [a_dossier(f"{n}号") for n in range(5)])
    with desk.app.store.reading() as session:
        rows = session.execute(text("SELECT blob, start, size FROM evidence ORDER BY start")).all()
    assert len(rows) == 5
    assert len({row.blob for row in rows}) == 1
    assert [row.start for row in rows[1:]] == [row.start + row.size + 1 for row in rows[:-1]]
    assert not [event for event in desk.events() if "王某某" in str(event)]


def test_what_was_handed_in_cannot_be_changed_or_taken_away(desk: Desk) -> None:
    desk.clock.set(YEAR_END)
    desk.app.intake.load(SYSTEM, [a_dossier("1号")])
    for statement in ("UPDATE evidence SET name = 'x'", "DELETE FROM evidence"):
        with pytest.raises(DBAPIError, match="append-only"), desk.app.store.work() as work:
            work.session.execute(text(statement))
    desk.app.intake.load(SYSTEM, [a_dossier("1号")])  # the same again is nothing new
    with desk.app.store.reading() as session:
        assert session.execute(text("SELECT count(*) FROM evidence")).scalar_one() == 1


def test_steps_and_files_stand_behind_the_findings_of_a_course(desk: Desk, browser: Browser) -> None:
    decision = desk.open()
    desk.run(decision, until="review_complete")
    opinion = papers.docx()
    added = upload(browser, LAWYER, decision, "王某某签发的意见.docx", opinion)
    assert added.status_code == 201
    digest = added.json()["digest"]
    document = {"kind": "review_opinion", "digest": digest}
    for name, body in list(COURSE.items())[list(COURSE).index("review_issued") :]:
        desk.record(decision, body | ({"documents": [document]} if name == "review_issued" else {}))
    event = desk.events()[-1]
    named = {evidence.digest: evidence for evidence in event.evidence}
    assert named[digest].name == "合法性审查意见.docx"  # never the uploader's own name, which names a person
    assert not [one for one in desk.events() if "王某某" in str(one)]
    assert len([one for one in named.values() if one.name.startswith("程序步骤记录（")]) >= 20
    answer = get(browser, CITY, named[digest].place)
    assert answer.content == opinion
    assert (
        "%E7%8E%8B" in answer.headers["content-disposition"]
    )  # whoever may read it gets it under its own name
    listed = browser.ask(CITY, "GET", f"/decisions/{decision}/evidence").json()
    assert digest in {one["digest"] for one in listed}
    for one in event.evidence:
        answer = get(browser, LEADER, one.place)
        assert one.digest == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "content", "material", "status", "code"),
    [
        ("意见.pdf", papers.docx(), "review_opinion", 422, "files.wrong_file_type"),
        ("意见.docx", papers.docx({"word/vbaProject.bin": b"x"}), "review_opinion", 422, "files.unsafe_file"),
        (
            "炸弹.docx",
            papers.docx({"word/a.bin": bytes(60_000_000)}),
            "review_opinion",
            422,
            "files.zip_bomb",
        ),
        ("大.txt", b"x" * (20 * 1024 * 1024 + 1), "review_opinion", 413, "files.file_too_large"),
        ("意见.pdf", papers.pdf(), "love_letter", 422, "platform.invalid"),
    ],
)
def test_a_bad_file_is_refused_at_the_door(
    desk: Desk, browser: Browser, name: str, content: bytes, material: str, status: int, code: str
) -> None:
    decision = desk.open()
    answer = upload(browser, OFFICE, decision, name, content, material)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert browser.ask(CITY, "GET", f"/decisions/{decision}/evidence").json() == []


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
def test_who_has_no_part_in_a_decision_neither_adds_nor_reads(desk: Desk, browser: Browser) -> None:
    decision = desk.open()
    assert upload(browser, STRANGER, decision, "意见.pdf", papers.pdf()).status_code == 404
    assert (
        upload(browser, CITY, decision, "意见.pdf", papers.pdf()).status_code == 403
    )  # who inspects adds nothing
    assert browser.ask(STRANGER, "GET", f"/decisions/{decision}/evidence").status_code == 404
    mine, other = desk.open("2号"), decision
    digest = upload(browser, OFFICE, mine, "意见.pdf", papers.pdf()).json()["digest"][7:]
    assert browser.ask(OFFICE, "GET", f"/decisions/{mine}/evidence/{digest}").status_code == 200
    assert browser.ask(OFFICE, "GET", f"/decisions/{other}/evidence/{digest}").status_code == 404


def test_a_unit_that_has_used_up_its_share_adds_nothing_more(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision, paper = desk.open(), papers.pdf()
    monkeypatch.setattr("contracts.findings.papers.QUOTA_BYTES", len(paper))
    assert upload(browser, OFFICE, decision, "意见.pdf", paper).status_code == 201
    full = upload(browser, OFFICE, decision, "意见.docx", papers.docx())
    assert (full.status_code, full.json()["code"]) == (409, "files.quota_used_up")
    desk.run(decision, until="started")  # records are no files
    assert (
        upload(browser, LAWYER, decision, "意见.docx", papers.docx()).status_code == 201
    )  # another unit's share
