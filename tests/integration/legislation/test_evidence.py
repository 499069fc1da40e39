"""The entry of a normative document as it was handed in, and the files added to it, stand behind its findings."""

import hashlib
from dataclasses import replace
from datetime import date

import orjson
from sqlalchemy import text

from tests.integration.legislation.conftest import CLERK, PROVINCE, Desk, a_unit
from tests.integration.legislation.test_http import ROOT, Browser, browser  # noqa: F401 - a fixture
from tests.integration.legislation.test_register import ENTRY
from tests.support import papers

NEIGHBOUR = replace(CLERK, account="other", unit="150103", unit_path="/15/1501/150103/")


def test_an_entry_and_its_change_are_both_evidence_newest_first(desk: Desk, browser: Browser) -> None:  # noqa: F811
    document = desk.app.register.enter(CLERK, ENTRY)
    first = desk.told()[-1].evidence
    desk.clock.set(desk.clock.now().replace(hour=9))
    changed = replace(ENTRY, filed_on=date(2026, 3, 5))
    desk.app.register.change(CLERK, document.id, changed, version=1)
    corrected = desk.told()[-1]
    assert corrected.probe == "LEG-FIL-01"
    assert [one.digest for one in corrected.evidence][1:] == [one.digest for one in first]
    answer = browser.sign_in(PROVINCE).get(corrected.evidence[0].place)
    assert corrected.evidence[0].digest == f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    assert orjson.loads(answer.content)["filed_on"] == "2026-03-05"
    assert browser.sign_in(NEIGHBOUR).get(corrected.evidence[0].place).status_code == 404


def test_a_register_handed_in_is_one_blob_with_a_piece_for_each_entry(desk: Desk) -> None:
    desk.units(a_unit("150102", "/15/1501/150102/"))
    entries = [replace(ENTRY, number=f"新政规〔2026〕{n}号") for n in range(1, 41)]
    assert desk.app.register.import_entries(entries) == 40
    assert desk.app.register.import_entries(entries) == 0
    with desk.app.store.reading() as session:
        row = session.execute(
            text("SELECT count(*) AS pieces, count(DISTINCT blob) AS blobs FROM evidence")
        ).one()
    assert (row.pieces, row.blobs) == (40, 1)
    assert {len(event.evidence) for event in desk.told()} == {1}


def test_the_document_itself_is_added_as_a_file(desk: Desk, browser: Browser) -> None:  # noqa: F811
    document = desk.app.register.enter(CLERK, ENTRY)
    clerk = browser.sign_in(CLERK)
    path = f"{ROOT}/normative-documents/{document.id}"
    added = clerk.post(
        f"{path}/files", files={"file": ("办法.ofd", papers.ofd(), "")}, data={"material": "text"}
    )
    assert (added.status_code, added.json()["name"]) == (201, "文件正文.ofd")
    assert clerk.get(added.json()["place"]).content == papers.GOOD["公布材料.ofd"]
    assert [one["name"] for one in clerk.get(f"{path}/evidence").json()][-1] == "行政规范性文件登记表.json"
