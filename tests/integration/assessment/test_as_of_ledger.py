"""The ledger as of a day: checkpoints, witnesses, alarms and receipts are shown as they were, and still prove themselves."""

import base64
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from contracts.roles import REPORTER
from fazhi.identity import verifier
from kernel.access.principal import Principal
from kernel.access.tokens import Issuer
from kernel.clock import local_date, start_of_day
from kernel.hosting.api import build_api
from kernel.ledger.checkpoint import read_checkpoint
from kernel.ledger.note import read_note
from kernel.ledger.tree import SHA256, verify_inclusion
from services.assessment.app import ledger_signer
from services.assessment.explanation.entries import Entries
from services.assessment.explanation.service import Explanations
from services.assessment.http import routers
from services.assessment.ledger.alarms import Alarm, raise_alarm
from services.assessment.ledger.findings import Report
from services.assessment.ledger.receipts import Receipts
from services.assessment.ledger.rules import read_witnesses
from services.assessment.ledger.service import Ledger
from services.assessment.ledger.verdicts import keep_verdict
from services.assessment.ledger.witnessing import Witnesses
from tests.support.events import a_unit, an_event
from tests.support.http import Client
from tests.support.witnesses import running_witness

UNIT = "150102-scjg"
OWN = Principal(account="z", unit=UNIT, unit_path=f"/15/150102/{UNIT}/", roles=frozenset({REPORTER}))
ROOT = "/api/assessment/v1"
PATHS = (
    "/ledger/status",
    "/ledger/checkpoint",
    f"/units/{UNIT}/receipts",
    f"/units/{UNIT}/explanation?period=2026",
    f"/units/{UNIT}/score?period=2026",
)


class Hall:
    """Assessment with two witnesses, and a unit that reads its page of the ledger."""

    def __init__(self, fed, settings):
        self.fed, self.clock, self.app = fed, fed.runtime.clock, fed.app
        known = read_witnesses(",".join(settings))
        store, origin = fed.app.store, fed.app.ledger.origin
        self.one, self.both = Witnesses(store, origin, known[:1]), Witnesses(store, origin, known)
        ledger = Ledger(store, origin, known, 2)
        given = (store, fed.app.frameworks, ledger)
        self.app = replace(
            fed.app,
            ledger=ledger,
            receipts=Receipts(*given),
            explanations=Explanations(*given),
            entries=Entries(*given),
        )
        api = build_api("assessment", "考核", routers(self.app), verifier(fed.runtime), store)
        self._client = Client(api)
        key = (fed.runtime.settings.data / "keys" / "identity.pem").read_bytes()
        self._issuer = Issuer(key, self.clock)

    def ask(self, path, as_of=""):
        path += (("&" if "?" in path else "?") + f"as_of={as_of}") if as_of else ""
        headers = {"authorization": f"Bearer {self._issuer.issue(OWN)}"}
        return self._client.get(f"{ROOT}{path}", headers=headers)

    def shown(self, as_of=""):
        """What each page and download says, without what names the question."""
        found = {path: self.ask(path, as_of) for path in PATHS}
        assert {answer.status_code for answer in found.values()} <= {200, 404}, as_of
        return {path: said(answer) for path, answer in found.items()}

    def events(self, count):
        self.fed.events(*(an_event(unit=UNIT, recorded_at=self.clock.now()) for _ in range(count)))
        self.app.roll_up.catch_up()


def said(answer):
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.text
    told = answer.json()
    return {name: value for name, value in told.items() if name not in ("as_of", "at_seq", "request_id")}


@pytest.fixture
def hall(fed, tmp_path):
    fed.units(a_unit(UNIT, path=f"/15/150102/{UNIT}/"))
    key = ledger_signer(fed.runtime)().key
    with (
        running_witness(tmp_path / "audit", "audit.example.gov.cn", key) as one,
        running_witness(tmp_path / "upper", "upper.example.gov.cn", key) as other,
    ):
        yield Hall(fed, [one.setting, other.setting])


def the_weeks(hall):
    """Day by day: entered, sealed, signed by one, by both; then more, a witness that forgot, a verification."""
    yield
    hall.events(3)
    yield
    hall.app.sealer.seal()
    yield
    assert hall.one.round() == 1
    yield
    assert hall.both.round() == 1
    yield
    hall.events(300)
    hall.app.sealer.seal()
    yield
    raise_alarm(
        hall.app.store, hall.app.ledger.origin, Alarm("audit.example.gov.cn", "went_back", 303, "忘了")
    )
    keep_verdict(hall.app.store, Report(events=303))
    yield
    hall.events(1)
    hall.both.round()
    yield


def test_pages_and_downloads_of_the_ledger_are_those_of_each_day(hall):
    then = {}
    for _ in the_weeks(hall):
        day = local_date(hall.clock.now())
        # How long something waited is told to the end of the day, so each day is read at its end.
        hall.clock.set(start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1))
        then[day.isoformat()] = hall.shown()
        hall.clock.advance(timedelta(hours=10))
    assert len({str(pages) for pages in then.values()}) == len(then), "every day something was done"
    numbers = [
        tuple(pages["/ledger/status"][name] for name in ("sequenced", "sealed", "witnessed"))
        for pages in then.values()
    ]
    assert numbers[:6] == [(0, 0, 0), (3, 0, 0), (3, 3, 0), (3, 3, 0), (3, 3, 3), (303, 303, 3)]
    for day, pages in then.items():
        again = hall.shown(day)
        for path in PATHS:
            assert again[path] == pages[path], (day, path)
    for pages in list(then.values())[3:]:
        proves_itself(pages[f"/units/{UNIT}/receipts"])


def proves_itself(receipts):
    head, *lines = map(orjson.loads, receipts.splitlines())
    root = read_checkpoint(read_note(head["checkpoint"]).text).root
    assert len(lines) == head["size"]
    for line in (lines[0], lines[-1]):
        proof = [base64.b64decode(one) for one in line["proof"]]
        leaf = SHA256.leaf(line["leaf"].encode())
        verify_inclusion(
            SHA256, index=line["seq"] - 1, size=head["size"], leaf_hash=leaf, proof=proof, expected_root=root
        )


def test_waits_are_measured_to_the_end_of_the_day_and_a_day_to_come_is_refused(hall):
    hall.events(1)
    day = hall.clock.now().date().isoformat()
    hall.clock.advance(timedelta(days=30))
    told = hall.ask("/ledger/status", day).json()
    assert told["oldest_unsealed_seconds"] == told["oldest_unwitnessed_seconds"] < 24 * 3600
    for path in PATHS[:3]:
        assert hall.ask(path, "2027-01-01").json()["code"] == "assessment.as_of_day"
    assert hall.ask("/ledger/checkpoint", day).status_code == 404
