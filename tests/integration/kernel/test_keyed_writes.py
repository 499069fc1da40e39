"""A write with an Idempotency-Key may be sent again: it is done once and answered the same (R8)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import APIRouter, UploadFile
from sqlalchemy import select, update

from kernel.access.principal import Principal
from kernel.access.rules import allow, public
from kernel.access.tokens import Issuer, Verifier, make_key
from kernel.clock import SystemClock
from kernel.errors import NotAllowed
from kernel.hosting.api import Caller, build_api
from kernel.hosting.validation import Body
from kernel.ids import new_id
from kernel.messages import Item
from kernel.storage.db import open_database
from tests.support.http import Client
from tests.support.toy import Toy

KEY = "0193-a1"
CALLER = "甲"


class Tally(Body):
    name: str


class House:
    """A toy service behind HTTP whose only write is not idempotent by itself."""

    def __init__(self, url: str, folder: Path) -> None:
        self.toy = Toy(open_database(url))
        self.pause = threading.Event()
        self.pause.set()
        make_key(folder / "key.pem")
        self._issuer = Issuer((folder / "key.pem").read_bytes(), SystemClock())
        verifier = Verifier(self._issuer.public_pem, SystemClock())
        self._client = Client(build_api("toy", "toy", [self._routes()], verifier, self.toy.store))

    def post(self, path="/tallies", key=KEY, who=CALLER, name="a", unit="", **options):
        token = self._issuer.issue(Principal(account=who, unit=unit, roles=frozenset({"clerk"})))
        headers = {"authorization": f"Bearer {token}"} | ({"idempotency-key": key} if key is not None else {})
        options = options or {"json": {"name": name}}
        return self._client.post(f"/api/toy/v1{path}", headers=headers, **options)

    def rows(self):
        with self.toy.store.reading() as session:
            return session.execute(select(self.toy.spine.idempotency)).all()

    def forget_answers(self):
        with self.toy.store.work() as work:
            work.session.execute(update(self.toy.spine.idempotency).values(status=None, answer=None))
            work.commit()

    def _count(self, name):
        with self.toy.store.work() as work:
            self.toy.count(work, [Item("toy", new_id(), name.encode(), name.encode())])
            self.pause.wait(10)
            work.commit()

    def _routes(self):
        router = APIRouter()

        @router.post("/tallies", status_code=201)
        @allow("clerk")
        def tally(body: Tally) -> dict[str, object]:
            self._count(body.name)
            return {"id": new_id(), "total": self.toy.total(body.name)}

        @router.post("/broken")
        @allow("clerk")
        def broken(body: Tally) -> None:
            self._count(body.name)
            raise KeyError(body.name)

        @router.post("/refused")
        @allow("clerk")
        def refused(who: Caller) -> None:
            raise NotAllowed(code="toy.refused")

        @router.post("/open")
        @public
        def opened(body: Tally) -> int:
            self._count(body.name)
            return self.toy.total(body.name)

        @router.post("/files")
        @allow("clerk")
        def file(file: UploadFile) -> int:
            return len(file.file.read())

        return router


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'toy.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    opened = House(url, tmp_path)
    yield opened
    opened.toy.store.database.close()


def test_the_same_key_gives_the_first_answer_and_does_nothing_again(house):
    first, again = house.post(), house.post()
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["content-type"]) == (first.content, first.headers["content-type"])
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert house.toy.total() == 1


def test_without_a_key_every_request_counts(house):
    assert [house.post(key=None).json()["total"] for _ in range(2)] == [1, 2]
    assert house.rows() == []


@pytest.mark.parametrize(
    "change", [{"name": "b"}, {"unit": "15"}, {"path": "/broken"}, {"path": "/tallies?x=1"}]
)
def test_the_same_key_with_another_request_is_a_conflict(house, change):
    house.post()
    other = house.post(**change)
    assert (other.status_code, other.json()["code"]) == (409, "platform.key_reused")
    assert (house.toy.total(), house.toy.total("b")) == (1, 0)


def test_a_key_is_its_callers_own(house):
    assert [house.post(who=who).json()["total"] for who in ("甲", "乙")] == [1, 2]


def test_repeats_at_the_same_time_are_done_once(house):
    house.pause.clear()
    threading.Timer(0.5, house.pause.set).start()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: house.post(), range(4)))
    assert house.toy.total() == 1
    assert sorted({answer.status_code for answer in answers}) in ([201], [201, 409])
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"platform.key_in_use"}
    assert house.post().content == next(a.content for a in answers if a.status_code == 201)


def test_a_request_whose_answer_got_lost_is_not_done_again(house):
    house.post()
    house.forget_answers()
    again = house.post()
    assert (again.status_code, again.json()["code"]) == (409, "platform.key_in_use")
    assert house.toy.total() == 1


def test_a_request_that_broke_after_its_commit_is_not_done_again(house):
    broken = [house.post("/broken") for _ in range(2)]
    assert [answer.status_code for answer in broken] == [500, 409]
    assert house.toy.total() == 1


def test_a_request_that_did_nothing_leaves_its_key_free(house):
    assert house.post(json={"name": 5}).status_code == 422
    assert house.post("/refused").status_code == 403
    assert house.rows() == []
    assert house.post().status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "-a", "a\tb"])
def test_a_key_is_plain_and_short(house, key):
    refused = house.post(key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "platform.bad_id")
    assert house.toy.total() == 0
    assert house.post(key="x" * 64).status_code == 201


def test_public_endpoints_take_no_keys_and_uploads_refuse_them(house):
    assert [house.post("/open").json() for _ in range(2)] == [1, 2]
    upload = house.post("/files", files={"file": b"abc"})
    assert (upload.status_code, upload.json()["code"]) == (422, "platform.key_on_upload")
    assert house.rows() == []
