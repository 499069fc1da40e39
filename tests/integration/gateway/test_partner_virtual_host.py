import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from pika.exceptions import AMQPError, UnroutableError
from sqlalchemy import func, select

from gateway.clues.letters import INBOX, outbox_of
from gateway.clues.model import AnswerRow, ClueRow
from gateway.links.fake import verified
from gateway.worker import GatewayWorker
from kernel.access.principal import SYSTEM
from kernel.bus.markers import loops
from kernel.bus.partner import PartnerDoor, PartySide
from tests.support.gateway import INSPECTOR, body_of, hotline_order, partner

# The broker is what is tried here; the databases have their own tests.
pytestmark = pytest.mark.parametrize("runtime", ["postgresql"], indirect=True)


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def count(app, model=ClueRow) -> int:
    with app.store.reading() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def held(app) -> list[str]:
    return sorted(entry.code for entry in app.review.held(INSPECTOR, limit=100))


@pytest.fixture
def sender(app, vhost):
    return partner(app, "hotline", bus_user=vhost.user)


@pytest.fixture
def door(app, vhost, sender) -> Iterator[PartnerDoor]:
    """The gateway listening, as its worker does."""
    made = PartnerDoor(vhost.gateway_url, inbox=INBOX, outbox=outbox_of("hotline"))
    app.doors["hotline"] = made
    app.answers._doors["hotline"] = made.send
    worker, stop = GatewayWorker(app), threading.Event()
    assert set(loops(worker)) == {"listen", "answer"}
    thread = threading.Thread(target=worker.listen, args=(stop,))
    thread.start()
    time.sleep(1)
    yield made
    stop.set()
    thread.join(20)
    made.close()
    assert not thread.is_alive()


@pytest.fixture
def side(door, vhost) -> Iterator[PartySide]:
    made = PartySide(vhost.partner_url, inbox=INBOX, outbox=outbox_of("hotline"))
    yield made
    made.close()


class TestOverTheBus:
    def test_a_signed_clue_is_taken_and_its_answer_comes_back_signed(self, app, sender, side):
        body = body_of(hotline_order(来电类别="表扬", 工单标题="感谢", 主要内容="很好"))  # goes back at once
        side.post(body, sender.signed(body, datetime.now(UTC)))
        wait_until(lambda: count(app) == 1)
        assert app.answers.send_due() == 1
        ((answer, headers),) = side.answers(wait_seconds=1.5)
        assert verified(sender.secret, headers, answer)
        assert "退回".encode() in answer
        with app.store.reading() as session:
            row = session.scalars(select(AnswerRow)).one()
        assert (row.state, headers["webhook-id"]) == ("delivered", row.id)

    def test_the_same_letter_many_times_is_one_clue(self, app, sender, side):
        body = body_of(hotline_order())
        for _ in range(20):
            side.post(body, sender.signed(body, datetime.now(UTC)))
        side.post(
            body_of(hotline_order("LAST")), sender.signed(body_of(hotline_order("LAST")), datetime.now(UTC))
        )
        wait_until(lambda: count(app) == 2)
        assert held(app) == []

    def test_bad_letters_go_to_quarantine_and_good_ones_pass_them(self, app, sender, side):
        now = datetime.now(UTC)
        good = body_of(hotline_order())
        side.post(b"\x80\x81 not json", {})
        side.post(b"not json", sender.signed(b"not json", now))
        side.post(good, {**sender.signed(good, now), "webhook-signature": "v1,AAAA"})
        side.post(good, sender.signed(good, now), user="")
        side.post(b"[" * 50_000, sender.signed(b"[" * 50_000, now))
        side.post(good, sender.signed(good, now))
        wait_until(lambda: count(app) == 1)
        assert held(app) == [
            "clues.bad_signature", "clues.foreign_user", "clues.unsigned", "platform.bad_json", "platform.json_too_deep",
        ]  # fmt: skip


class TestWhatAPartnerMayDo:
    """M5, R31, R32: what the broker itself refuses."""

    def test_not_speak_under_another_name(self, sender, side):
        with pytest.raises(AMQPError):
            side.post(b"{}", {}, user="petition")

    def test_not_use_another_routing_key(self, side):
        side._user = "petition"
        with pytest.raises((AMQPError, UnroutableError)):
            side.post(b"{}", {}, user="")

    @pytest.mark.parametrize("queue", [INBOX, "fazhi.dead", "clue.out.petition"])
    def test_not_read_other_queues(self, side, queue):
        with pytest.raises(AMQPError):
            side._channel.basic_get(queue)

    def test_not_declare_anything(self, side):
        with pytest.raises(AMQPError):
            side._channel.queue_declare("mine")


def test_a_broker_that_is_away_is_waited_for(app, vhost, rabbitmq):
    sender = partner(app, "hotline", bus_user=vhost.user)
    body = body_of(hotline_order(来电类别="表扬", 工单标题="感谢", 主要内容="很好"))
    app.intake.take(app.partners.authenticate(sender.signed(body, datetime.now(UTC)), body), body)
    door = PartnerDoor("amqp://guest:guest@127.0.0.1:9/none", inbox=INBOX, outbox=outbox_of("hotline"))
    app.answers._doors["hotline"] = door.send
    assert app.answers.send_due() == 0
    with app.store.reading() as session:
        row = session.scalars(select(AnswerRow)).one()
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "bus_away")
    app.partners.register(SYSTEM, "hotline", title="hotline", bus_user=vhost.user)
