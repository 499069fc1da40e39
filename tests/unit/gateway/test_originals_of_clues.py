"""The clue as it came stands behind what is scored about it; it names persons, so it is sealed and each reading is on record."""

import hashlib

import pytest
from sqlalchemy import text

from kernel.errors import NotFound
from kernel.storage.blobs import BlobDamaged
from tests.support.gateway import INSPECTOR, NOW, PASSWORD, body_of, hotline_order, principal, scored

AWAY = principal("ducha2", "1502", "/15/1502/", "inspector")


@pytest.fixture
def told(app, receipt, progress):
    """The original's bytes, and its event."""
    progress(receipt, 5, at=NOW)
    (event,) = scored(app)
    return receipt, body_of(hotline_order()), event


def test_the_event_names_the_clue_as_it_came(app, told):
    receipt, body, event = told
    (evidence,) = event.evidence
    digest = hashlib.sha256(body).hexdigest()
    assert (evidence.digest, evidence.name, evidence.media_type) == (
        f"sha256:{digest}",
        "线索原文.json",
        "application/json",
    )
    assert evidence.place == f"/api/gateway/v1/clues/{receipt}/evidence/{digest}"
    assert app.originals.read(INSPECTOR, receipt, digest).content == body


def test_it_is_given_out_as_an_attachment_and_every_reading_is_on_record(app, told, http):
    _, body, event = told
    assert http.get(event.evidence[0].place).status_code == 401
    signed_in = http.post("/api/gateway/v1/sessions", json={"account": "ducha", "password": PASSWORD})
    assert signed_in.is_success
    answer = http.get(event.evidence[0].place)
    assert answer.content == body
    assert answer.headers["content-disposition"].startswith("attachment;")
    with app.store.reading() as session:
        who = session.scalars(text("SELECT actor FROM audit WHERE action = 'clue.original_read'")).all()
    assert who == ["ducha"]


def test_it_is_for_staff_who_may_see_the_clue(app, told):
    receipt, body, _ = told
    digest = hashlib.sha256(body).hexdigest()
    sender = principal("hotline", "15", "/15/", "external_system")
    for who, asked in ((AWAY, digest), (sender, digest), (INSPECTOR, "0" * 64)):
        with pytest.raises(NotFound):
            app.originals.read(who, receipt, asked)


def test_an_altered_original_is_noticed(app, told):
    receipt, body, _ = told
    with app.store.work() as work:
        work.session.execute(text("UPDATE clue_originals SET sealed = x'00112233445566778899aabbccddeeff'"))
        work.commit()
    with pytest.raises(BlobDamaged):
        app.originals.read(INSPECTOR, receipt, hashlib.sha256(body).hexdigest())


def test_it_lies_sealed(app, told):
    _, body, _ = told
    with app.store.reading() as session:
        (sealed,) = session.scalars(text("SELECT sealed FROM clue_originals"))
    assert body[20:40] not in sealed
