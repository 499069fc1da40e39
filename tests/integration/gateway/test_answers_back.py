import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, update

from gateway.clues import outgoing
from gateway.clues.model import AnswerRow
from gateway.clues.outgoing import CallFailed, check_target
from gateway.links.fake import verified
from gateway.partners.model import Partner
from kernel.access.principal import SYSTEM
from tests.support.gateway import INSPECTOR, body_of, hotline_order, partner


class Receiver:
    """A partner's answer address that can be told how to behave."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.behave = "204"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers.items()), body))
                getattr(self, f"_{receiver.behave}", self._status)()

            def _status(self):
                self.send_response(int(receiver.behave))
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def _large(self):
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(5000):
                        self.wfile.write(b"x" * 1024)
                except OSError:
                    pass
                self.close_connection = True

            def _drip(self):
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(200):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(0.1)
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/answers"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def sender(app, receiver):
    """A partner with one answer waiting for it."""
    made = partner(app, "hotline", answer_url=receiver.url, answer_networks="127.0.0.0/8")
    body = body_of(hotline_order(来电类别="表扬", 工单标题="感谢", 主要内容="很好"))
    app.intake.take(app.partners.authenticate(made.signed(body, datetime.now(UTC)), body), body)
    return made


def answer(app) -> AnswerRow:
    with app.store.reading() as session:
        return session.scalars(select(AnswerRow)).one()


def make_due(app, **changes) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    with app.store.work() as work:
        work.session.execute(update(AnswerRow).values(next_at=past, **changes))
        work.session.execute(update(Partner).values(rest_until=None))
        work.commit()


class TestDelivery:
    def test_it_arrives_signed_in_the_senders_own_words(self, app, receiver, sender):
        assert app.answers.send_due() == 1
        ((headers, body),) = receiver.got
        assert verified(sender.secret, headers, body)
        assert json.loads(body)["工单编号"] == "HT-2026-0001"
        assert answer(app).state == "delivered"
        assert app.answers.send_due() == 0

    def test_after_failures_it_is_sent_again_under_the_same_id(self, app, receiver, sender):
        receiver.behave = "503"
        app.answers.send_due()
        assert (answer(app).state, answer(app).last_error) == ("pending", "status_503")
        assert app.answers.send_due() == 0  # not yet
        receiver.behave = "204"
        make_due(app)
        assert app.answers.send_due() == 1
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1

    @pytest.mark.parametrize(
        ("behave", "error"),
        [("301", "status_301"), ("400", "status_400"), ("500", "status_500"), ("large", "answer_too_large")],
    )
    def test_whatever_else_it_says_is_no_delivery(self, app, receiver, sender, behave, error):
        receiver.behave = behave
        assert app.answers.send_due() == 0
        assert answer(app).last_error == error
        assert len(receiver.got) == 1  # redirects are not followed

    def test_one_byte_at_a_time_is_cut_off(self, app, receiver, sender, monkeypatch):
        monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 1.0)
        receiver.behave = "drip"
        started = time.monotonic()
        app.answers.send_due()
        assert time.monotonic() - started < 4
        assert answer(app).last_error == "timed_out"

    def test_tried_for_days_it_is_listed_as_dead_and_can_be_sent_by_hand(self, app, receiver, sender):
        receiver.behave = "500"
        make_due(app, attempts=13)
        app.answers.send_due()
        (dead,) = app.review.answers(INSPECTOR, state="dead", limit=10, offset=0)
        receiver.behave = "204"
        app.answers.send_again(INSPECTOR, dead.id)
        make_due(app)
        assert app.answers.send_due() == 1

    def test_a_system_that_keeps_failing_is_left_alone_and_no_other_waits_for_it(self, app, receiver, sender):
        receiver.behave = "500"
        for _ in range(5):
            make_due(app)
            app.answers.send_due()
        with app.store.work() as work:
            work.session.execute(update(AnswerRow).values(next_at=datetime.now(UTC) - timedelta(minutes=1)))
            work.commit()
        calls = len(receiver.got)
        app.answers.send_due()
        assert len(receiver.got) == calls


def test_answers_to_a_system_without_an_address_wait_until_it_has_one(app, receiver):
    sender = partner(app, "hotline")
    body = body_of(hotline_order(来电类别="表扬", 工单标题="感谢", 主要内容="很好"))
    app.intake.take(app.partners.authenticate(sender.signed(body, datetime.now(UTC)), body), body)
    assert app.answers.send_due() == 0
    assert (answer(app).state, answer(app).attempts) == ("pending", 0)
    app.partners.register(
        SYSTEM, "hotline", title="12345", answer_url=receiver.url, answer_networks="127.0.0.0/8"
    )
    assert app.answers.send_due("hotline") == 1


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/", "http://10.1.2.3/", "http://[::1]/",
         "http://0.0.0.0/", "http://2130706433/", "http://[::ffff:127.0.0.1]/"],
    )  # fmt: skip
    def test_inner_addresses_are_refused_unless_listed(self, url):
        with pytest.raises(CallFailed, match=r"address_not_allowed|unresolved"):
            check_target(url, "192.0.2.0/24")

    @pytest.mark.parametrize(
        "url", ["http://h:99999/", "http://h:http/", "http://a..b/", f"http://{'a' * 64}.cn/", "http://["]
    )
    def test_an_address_that_is_none_is_a_failed_call(self, url):
        with pytest.raises(CallFailed, match="unresolved"):
            check_target(url, "")

    def test_a_chinese_name_is_called_as_the_network_writes_it(self, monkeypatch):
        asked = []

        def resolve(name, port, **_more):
            asked.append((name, port))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.9.8.7", port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        target = check_target("http://热线.政务.cn:8080/answers", "10.9.0.0/16")
        assert asked == [("xn--lrxu80a.xn--zfr164b.cn", 8080)]
        assert (target.host, target.name) == ("xn--lrxu80a.xn--zfr164b.cn:8080", "xn--lrxu80a.xn--zfr164b.cn")

    def test_the_call_goes_to_the_address_that_was_checked(self, monkeypatch):
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *_a, **_k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.9.8.7", 443))],
        )
        target = check_target("https://hotline.example.gov.cn/answers?x=1", "10.9.0.0/16")
        assert target.url == "https://10.9.8.7:443/answers?x=1"
        assert (target.host, target.name) == ("hotline.example.gov.cn", "hotline.example.gov.cn")
