"""
The last part of the year: it is closed, published, read, checked by strangers, and corrected once more.

Steps of tests/end_to_end/test_the_year.py. The bundle is fetched as an auditor does it and judged by the independent
verifier in a process of its own; receipts are checked here by a few lines of RFC 9162, with no code of the platform.
"""

import base64
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import orjson
from docx import Document
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from kernel.access.tokens import make_key
from kernel.ledger.note import NoteSigner
from kernel.settings import Settings
from tests.support.the_year import (
    CULTURE,
    GROUP,
    LATE_PUBLICATION,
    MARKET,
    TRANSPORT,
    County,
    case_file,
    micro,
)

VERIFIER = Path(__file__).parents[2] / "verifier" / "fazhi_verify.py"


def the_year_is_closed_by_two_and_what_comes_late_is_listed(county: County) -> None:
    # Months passed at once, and nothing is closed on what nobody saw.
    county.until(lambda: _all_witnessed(county))
    close = {"act": "close_asked", "reason": "年度考核结束"}
    county.do("ducha", "/periods/2026/requests", **close)
    assert county.refused("ducha", "/periods/2026/decisions", agreed=True) == (409, "assessment.four_eyes")
    county.do("ducha2", "/periods/2026/decisions", agreed=True)
    assert county.refused("ducha", "/periods/2026/requests", **close) == (409, "assessment.period_closed")
    county.cases("linju", TRANSPORT, [LATE_PUBLICATION], first=5)
    late = county.get("shenji", "/periods/2026/late-facts")
    assert {fact["unit"] for fact in late} == {TRANSPORT}
    assert "ENF-PUB-01" in {fact["probe"] for fact in late}
    # 40 × 3/5 + 20 = 44 of 60: 36.666667 + 30 + 8
    assert county.score(TRANSPORT) == "74.666667"


def _all_witnessed(county: County) -> bool:
    status = county.get("ducha", "/ledger/status")
    return bool(status["witnessed"] == status["sequenced"] and not status["refusal"])


def a_ranking_is_published_and_anybody_can_check_it(county: County, folder: Path) -> str:
    county.until(lambda: _all_witnessed(county))
    request = county.do("ducha", "/publication-requests", period="2026", peer_group=GROUP)["id"]
    decision = f"/publication-requests/{request}/decision"
    assert county.refused("ducha", decision, agreed=True) == (409, "assessment.four_eyes")
    county.do("ducha2", decision, agreed=True)
    county.until(lambda: county.ask("", "GET", f"/public/publications/{request}").status_code == 200)
    bundle = _bundle(county, request, folder / "bundle")
    assert _verified(county, bundle).returncode == 0, _verified(county, bundle).stderr
    published = [orjson.loads(line) for line in (bundle / "scores.jsonl").read_bytes().splitlines()]
    assert [(one["rank"], one["unit"], one["score"]) for one in published if one["score"]] == [
        (1, CULTURE, "100.0000"),
        (2, MARKET, "84.7400"),
        (3, TRANSPORT, "74.666667"),
    ]
    stranger = folder / "stranger.pem"
    make_key(stranger)
    unknown = NoteSigner.read(Settings().ledger_origin, stranger).key
    assert _verified(county, bundle, key=str(unknown)).returncode == 1
    events = bundle / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b'"score":"0.300"', b'"score":"0.350"'))
    assert _verified(county, bundle).returncode == 1
    return str(request)


def _bundle(county: County, publication: str, folder: Path) -> Path:
    """The bundle as an auditor fetches it; all but units and events is public."""
    folder.mkdir()
    shown = county.told("", "GET", f"/public/publications/{publication}")
    for name in shown["files"]:
        path = f"/public/publications/{publication}/files/{name}"
        (folder / name).write_bytes(county.ask("", "GET", path).content)
    assert county.ask("", "GET", f"/publications/{publication}/events").status_code == 401
    assert county.ask("fuzeren", "GET", f"/publications/{publication}/events").status_code == 403
    for name in ("events", "units"):
        content = county.ask("shenji", "GET", f"/publications/{publication}/{name}").content
        (folder / f"{name}.jsonl").write_bytes(content)
    return folder


def _verified(county: County, bundle: Path, key: str = "") -> subprocess.CompletedProcess[str]:
    keys = county.told("", "GET", "/public/keys")
    given = ["--key", key or keys["ledger"][0], "--publisher", keys["publisher"]]
    given += ["--witness", keys["witnesses"][0], "--witnesses", "1"]
    command = [sys.executable, "-I", str(VERIFIER), str(bundle), *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def what_was_published_can_be_read_and_adds_up(county: County, publication: str) -> None:
    bulletin = county.do("ducha", "/bulletins", publication=publication, kind="yearly")["id"]
    pages = PdfReader(io.BytesIO(_file(county, bulletin, "pdf"))).pages
    assert "84.74" in "".join(page.extract_text() for page in pages)
    cells = Document(io.BytesIO(_file(county, bulletin, "docx"))).tables[0].columns[3].cells
    assert [cell.text for cell in cells][1:4] == ["culture局", "market局", "transport局"]
    content = county.ask("shenji", "GET", f"/publications/{publication}/workbook").content
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    _, *ranking = book.get_sheet_by_name("排名").to_python()
    _, *results = book.get_sheet_by_name("成果得分").to_python()
    assert [row[1] for row in ranking if row[3]] == [CULTURE, MARKET, TRANSPORT]
    for _, unit, _, score, *_ in ranking:
        if score:
            assert sum(micro(str(row[8])) for row in results if row[0] == unit) == micro(str(score))


def _file(county: County, bulletin: str, form: str) -> bytes:
    return county.told_bytes("ducha", f"/bulletins/{bulletin}/files/{form}")


def a_correction_moves_the_live_ranking_and_nothing_published(county: County, publication: str) -> None:
    at_seq = county.told("", "GET", f"/public/publications/{publication}")["at_seq"]
    scores = f"/public/publications/{publication}/files/scores.jsonl"

    def shown() -> list[bytes]:
        asked = {"period": "2026", "peer_group": GROUP, "as_of_seq": at_seq}
        return [
            county.told_bytes("", scores),
            county.told_bytes("linju", "/rankings", **asked),
            county.told_bytes("linju", f"/units/{TRANSPORT}/score", period="2026", as_of_seq=at_seq),
        ]

    before = shown()
    assert county.ranking(as_of_seq=at_seq) == [
        (one["rank"], one["unit"], one["score"])
        for one in map(orjson.loads, before[0].splitlines())
        if one["score"]
    ]
    path, mended = "/api/enforcement/v1/case-files", case_file(TRANSPORT, [{}], 5)
    query = {"purpose": "correction"}
    found = county.hand_in("linju", path, "更正.csv", mended, query=query, reason="公示日期录错").json()
    assert found["fault_count"] == 0, found
    confirm = f"{path}/{found['digest']}/confirm"
    assert county.ask("linju", "POST", confirm, params=query).status_code == 403
    county.told("linju.fzr", "POST", confirm, params=query)
    # 40 × 4/5 + 20 = 52 of 60: 43.333333 + 30 + 8
    assert county.score(TRANSPORT) == "81.333333"
    assert shown() == before


def a_unit_checks_its_receipts_by_itself(county: County) -> None:
    answer = county.told_bytes("fuzeren", f"/units/{MARKET}/receipts", period="2026")
    head, *receipts = map(orjson.loads, answer.splitlines())
    origin, size, root = head["checkpoint"].split("\n")[:3]
    assert (origin, int(size)) == (head["origin"], head["size"])
    assert head["cosigners"] == ["witness.example"]
    assert len(receipts) > 25
    for one in receipts:
        assert orjson.loads(one["leaf"])["unit"] == MARKET
        proof = [base64.b64decode(part) for part in one["proof"]]
        assert _root(one["leaf"].encode(), one["seq"] - 1, head["size"], proof) == base64.b64decode(root)
    assert county.ask("linju", "GET", f"/units/{MARKET}/receipts").status_code == 404


def _root(entry: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2: the root to which an entry and its proof lead."""
    found = hashlib.sha256(b"\0" + entry).digest()
    last = size - 1
    for part in proof:
        if index & 1 or index == last:
            found = hashlib.sha256(b"\1" + part + found).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + part).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return found


def a_replay_under_the_same_framework_is_the_ranking_byte_for_byte(county: County) -> None:
    asked = {"framework": "year-2026", "version": "1", "period": "2026"}
    replay = county.do("ducha", "/replays", **asked)["id"]
    county.until(lambda: county.get("ducha", f"/replays/{replay}")["state"] == "done")
    again = county.told_bytes("ducha", f"/replays/{replay}/ranking", peer_group=GROUP)
    assert again == county.told_bytes("ducha", "/rankings", period="2026", peer_group=GROUP)
