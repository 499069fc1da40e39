"""What becomes of a message is decided in one place; these are its promises, the same on both databases."""

import pytest
from sqlalchemy import select

from kernel.bus.inbound import MAX_ATTEMPTS, Inbound
from kernel.bus.port import Delivery
from kernel.errors import RuleViolation, Unavailable
from kernel.messages import MAX_BODY_BYTES, Message
from kernel.storage.db import open_database
from tests.support.toy import SUBSCRIPTION, Toy


@pytest.fixture(params=["sqlite", "postgresql"])
def toy(request, tmp_path):
    url = (
        f"sqlite:///{tmp_path / 'toy.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgresql_url")
    )
    toy = Toy(open_database(url))
    yield toy
    toy.store.database.close()


@pytest.fixture
def inbound(toy):
    return Inbound(toy.store, SUBSCRIPTION, toy.count)


def delivery(body=b"a", *, id="m1", redelivered=False):
    return Delivery(Message(id=id, source="toy", name="counted.v1", body=body), redelivered)


def quarantined(toy):
    with toy.store.reading() as session:
        return session.execute(
            select(toy.spine.quarantine).order_by(toy.spine.quarantine.c.held_at)
        ).fetchall()


def test_a_batch_is_one_effect(toy, inbound):
    inbound.take([delivery(id=f"m{number}") for number in range(5)])
    assert toy.total() == 5
    assert len(toy.seen) == 1


def test_the_same_message_counts_once_however_often_it_comes(toy, inbound):
    inbound.take([delivery(), delivery()])
    inbound.take([delivery(redelivered=True)])
    assert toy.total() == 1


def test_a_used_id_with_other_bytes_is_quarantined_and_not_counted(toy, inbound):
    inbound.take([delivery(b"a", id="m1")])
    inbound.take([delivery(b"b", id="m1")])
    assert (toy.total("a"), toy.total("b")) == (1, 0)
    assert [(row.code, row.raw) for row in quarantined(toy)] == [("platform.key_reused", b"b")]


def test_an_undecodable_message_is_quarantined_with_its_bytes_and_its_neighbours_count(toy, inbound):
    inbound.take([delivery(b"a", id="m1"), delivery(b"!?\xff", id="m2"), delivery(b"a", id="m3")])
    assert toy.total() == 2
    assert [(row.code, row.raw) for row in quarantined(toy)] == [("platform.undecodable", b"!?\xff")]


def test_what_a_database_cannot_hold_as_text_is_quarantined_and_its_neighbours_count(toy, inbound):
    inbound.take([delivery(b"a", id="m1"), delivery(b"a\x00b", id="m2"), delivery(b"a", id="m3")])
    assert toy.total() == 2
    assert [(row.code, row.raw) for row in quarantined(toy)] == [("platform.bad_character", b"a\x00b")]


def test_a_reason_with_any_character_can_be_written_down(toy, inbound):
    def refuse(items):
        raise RuleViolation("坏\x00字\ud800符", code="toy.bad")

    toy.before = refuse
    inbound.take([delivery()])
    assert [row.code for row in quarantined(toy)] == ["toy.bad"]


def test_an_oversized_message_is_quarantined(toy, inbound):
    inbound.take([delivery(b"x" * (MAX_BODY_BYTES + 1))])
    assert [row.code for row in quarantined(toy)] == ["platform.message_too_large"]


def test_a_rule_violation_takes_one_message_to_quarantine_and_no_innocents(toy, inbound):
    def refuse(items):
        if any(item.raw == b"bad" for item in items):
            raise RuleViolation("不合规则", code="toy.bad")

    toy.before = refuse
    inbound.take([delivery(b"a", id="m1"), delivery(b"bad", id="m2"), delivery(b"a", id="m3")])
    assert toy.total() == 2
    assert [(row.code, row.message_id) for row in quarantined(toy)] == [("toy.bad", "m2")]


def test_a_handler_that_always_fails_wears_the_message_out_at_the_fifth_attempt(toy, inbound):
    tries = []

    def fail(items):
        tries.append(len(items))
        raise KeyError("bug")

    toy.before = fail
    inbound.take([delivery()])
    assert len(tries) == 1 + MAX_ATTEMPTS  # once in the batch, five times alone
    assert [row.code for row in quarantined(toy)] == ["platform.worn_out"]


def test_a_message_that_kills_the_process_is_caught_without_being_handled_a_sixth_time(toy):
    handled = []

    class Killed(BaseException):
        pass

    def die(items):
        handled.append(1)
        raise Killed

    toy.before = die
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):  # each life of the process ends here, the attempt counted before
            Inbound(toy.store, SUBSCRIPTION, toy.count).take([delivery(redelivered=True)])
    Inbound(toy.store, SUBSCRIPTION, toy.count).take([delivery(redelivered=True)])
    assert len(handled) == MAX_ATTEMPTS
    assert [row.code for row in quarantined(toy)] == ["platform.worn_out"]


def test_an_outage_is_raised_to_be_waited_out_and_wears_nothing_out(toy, inbound):
    away = [True]

    def outage(items):
        if away[0]:
            raise Unavailable()

    toy.before = outage
    for _ in range(20):
        with pytest.raises(Unavailable):
            inbound.take([delivery(redelivered=True)])
    away[0] = False
    inbound.take([delivery(redelivered=True)])
    assert toy.total() == 1
    assert quarantined(toy) == []


def test_after_a_redelivery_messages_are_taken_one_by_one(toy, inbound):
    inbound.take([delivery(id="m1", redelivered=True), delivery(id="m2"), delivery(id="m3")])
    assert [len(batch) for batch in toy.seen] == [1, 1, 1]


def test_an_error_after_the_commit_is_no_fault_of_the_message(toy, inbound, monkeypatch):
    def broken(_messages, _taken):
        raise KeyError("a gauge")

    monkeypatch.setattr(inbound, "_measure", broken)
    for redelivered in (False, True):
        with pytest.raises(
            KeyError
        ):  # told to whoever hosts us, instead of trying the message again for ever
            inbound.take([delivery(id=f"m{redelivered}", redelivered=redelivered)])
    assert toy.total() == 2
    assert quarantined(toy) == []
