"""What was handed in about a case is kept and named by its events; who applied is for the organ alone."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from kernel.access.principal import SYSTEM, Principal
from tests.integration.disputes.conftest import BUREAU, CITY, OFFICE, STRANGER, Desk
from tests.integration.disputes.test_http import ROOT, Browser
from tests.support import papers
from tests.support.disputes import COURSE, ORGAN, RESPONDENT


@pytest.fixture
def browser(desk: Desk, tmp_path: Path) -> Browser:
    return Browser(desk, tmp_path)


def a_dossier(number: str) -> dict[str, Any]:
    facts = {"received_on": "2026-03-04", "accepted_on": "2026-03-06", "applicant": "王某某"}
    return {"number": number, "review_unit": ORGAN, "respondent": RESPONDENT, "facts": facts}


def get(browser: Browser, who: Principal, place: str) -> httpx.Response:
    return browser.ask(who, "GET", place.removeprefix(ROOT))


def test_every_event_of_a_case_handed_in_names_its_record_which_names_nobody(
    desk: Desk, browser: Browser
) -> None:
    desk.clock.set(datetime(2026, 7, 1, 4, tzinfo=UTC))
    desk.app.intake.load(SYSTEM, [a_dossier(f"青复〔2026〕{n}号") for n in range(3)])
    events = desk.events()
    assert len({event.subject for event in events}) == 3
    for evidence in {event.subject: event.evidence[0] for event in events}.values():
        assert evidence.name == "行政复议案件登记表.json"
        for who in (OFFICE, BUREAU, CITY):
            answer = get(browser, who, evidence.place)
            assert evidence.digest == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
            assert "王某某" not in answer.text
        assert get(browser, STRANGER, evidence.place).status_code == 404
    assert all(len(event.evidence) == 1 for event in events)
    with desk.app.store.reading() as session:
        assert session.execute(text("SELECT count(DISTINCT blob) FROM evidence")).scalar_one() == 1


def test_steps_are_evidence_and_files_are_for_the_organ(desk: Desk, browser: Browser) -> None:
    case = desk.open()
    answer_of_the_bureau = papers.pdf()
    files = {"file": ("王某某一案答复书.pdf", answer_of_the_bureau, "application/pdf")}
    added = browser.ask(
        BUREAU, "POST", f"/reconsiderations/{case}/files", files=files, data={"material": "answer"}
    )
    assert (added.status_code, added.json()["name"]) == (201, "被申请人答复书.pdf")
    for body in list(COURSE.values())[1:]:
        desk.record(case, body)
    event = desk.events()[-1]
    assert {one.name for one in event.evidence} >= {"被申请人答复书.pdf", "复议步骤记录（2026-04-28）.json"}
    assert not [one for one in desk.events() if "王某某" in str(one) or "某某商店" in str(one)]
    place = added.json()["place"]
    assert get(browser, OFFICE, place).content == answer_of_the_bureau
    for other in (BUREAU, CITY, STRANGER):
        assert get(browser, other, place).status_code == 404
    listed = {one["name"] for one in browser.ask(CITY, "GET", f"/reconsiderations/{case}/evidence").json()}
    assert "复议步骤记录（2026-03-04）.json" in listed
    assert "被申请人答复书.pdf" not in listed


def test_what_silence_made_was_handed_in_by_nobody(desk: Desk) -> None:
    case = desk.open()
    desk.today("2026-03-20")  # five working days without a word
    with desk.app.store.reading() as session:
        names = set(session.scalars(text("SELECT name FROM evidence")))
    assert "deemed_accepted" in {entry.step.kind for entry in desk.app.register.one(OFFICE, case).log}
    assert names == {"复议步骤记录（2026-03-04）.json"}
