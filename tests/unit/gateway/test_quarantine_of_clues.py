import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from gateway.clues.letters import Letters
from gateway.clues.model import ClueRow
from gateway.directory.rules import UnitState
from gateway.worker import GatewayWorker
from kernel.bus.partner import Letter
from kernel.errors import Conflict, NotAllowed
from tests.support.gateway import INSPECTOR, NOW, TREE, body_of, hotline_order, principal

NEW = UnitState(
    code="150102-new",
    name="新设局",
    kind=2,
    level=3,
    parent="150102",
    region_code="150102",
    valid_from="2026-11-01",
)


def held(app):
    return app.review.held(INSPECTOR, limit=100)


def clues(app) -> int:
    with app.store.reading() as session:
        return session.execute(select(func.count()).select_from(ClueRow)).scalar_one()


@pytest.fixture
def letters(app) -> Letters:
    return app.letters


def letter(sender, body: bytes, *, user: str = "hotline", **headers: str) -> Letter:
    return Letter(body, {**sender.signed(body, NOW), **headers}, user, "m-1", False)


class TestReleasing:
    def test_after_the_cause_is_mended_the_bytes_are_taken_in_as_they_were(self, app, letters, hotline):
        letters.take("hotline", letter(hotline, body_of(hotline_order(承办单位编码="150102-new"))))
        (entry,) = held(app)
        assert (entry.code, clues(app)) == ("clues.unknown_unit", 0)
        with pytest.raises(Exception, match="unknown_unit"):
            app.review.release(INSPECTOR, entry.id)
        assert len(held(app)) == 1
        app.directory.load([*TREE, NEW])
        app.review.release(INSPECTOR, entry.id)
        assert (held(app), clues(app)) == ([], 1)

    def test_a_refused_entry_cannot_be_released_afterwards(self, app, letters, hotline):
        letters.take("hotline", letter(hotline, body_of(hotline_order(承办单位编码="150102-new"))))
        (entry,) = held(app)
        app.review.refuse(INSPECTOR, entry.id)
        assert held(app) == []
        app.directory.load([*TREE, NEW])  # the cause is mended, so that nothing else keeps the bytes out
        for settle in (app.review.refuse, app.review.release):
            with pytest.raises(Conflict):
                settle(INSPECTOR, entry.id)
        assert clues(app) == 0

    def test_only_the_topmost_inspectors_may_look(self, app):
        with pytest.raises(NotAllowed):
            app.review.held(principal("ducha2", "1502", "/15/1502/", "inspector"), limit=10)


class TestLetters:
    def test_a_good_letter_is_a_clue(self, app, letters, hotline):
        letters.take("hotline", letter(hotline, body_of(hotline_order())))
        assert (clues(app), held(app)) == (1, [])

    @pytest.mark.parametrize(
        ("user", "changes", "code"),
        [
            ("", {}, "clues.foreign_user"),
            ("petition", {}, "clues.foreign_user"),
            ("hotline", {"webhook-signature": "v1,AAAA"}, "clues.bad_signature"),
            ("hotline", {"webhook-id": ""}, "clues.unsigned"),
            ("hotline", {"webhook-timestamp": "1"}, "clues.stale_signature"),
            ("hotline", {"webhook-timestamp": "999999999999"}, "clues.stale_signature"),
        ],
    )
    def test_an_unverified_one_is_held_and_can_only_be_refused(
        self, app, letters, hotline, user, changes, code
    ):
        body = body_of(hotline_order())
        letters.take("hotline", letter(hotline, body, user=user, **changes))
        (entry,) = held(app)
        assert (entry.code, entry.raw, clues(app)) == (code, body, 0)
        with pytest.raises(NotAllowed):
            app.review.release(INSPECTOR, entry.id)
        app.review.refuse(INSPECTOR, entry.id)

    def test_strange_bytes_and_headers_block_nothing(self, app, letters, hotline):
        for body in (b"", b"\x00\xff" * 50, b"[" * 100_000):
            letters.take(
                "hotline", Letter(body, {"webhook-id": "\x00\x1b[31m", "x": "y"}, "hotline", "", True)
            )
        letters.take("hotline", letter(hotline, body_of(hotline_order())))
        assert (len(held(app)), clues(app)) == (3, 1)

    def test_a_letter_nobody_foresaw_does_not_close_the_door_for_good(self, app, monkeypatch):
        monkeypatch.setattr("kernel.hosting.background.backoff", lambda _failures: 0.0)
        stop, runs = threading.Event(), []

        def run(_take, _stop):
            runs.append(1)
            if len(runs) == 1:
                raise RuntimeError("nobody foresaw this")
            stop.set()

        app.doors["hotline"] = SimpleNamespace(run=run)
        listening = threading.Thread(target=GatewayWorker(app).listen, args=(stop,), daemon=True)
        listening.start()
        listening.join(5)
        stop.set()
        assert len(runs) == 2
