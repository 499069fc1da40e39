"""The gateway hears of an upheld objection about a clue, shows it, and an amendment by an inspector answers it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, text

from contracts.corrections.v1.corrections_pb2 import CorrectionAsked
from contracts.findings import Outcome
from contracts.topology import CORRECTION_ASKED, CORRECTION_NOTICES
from gateway.identity.accounts import FirstAccount, enter
from gateway.tables import CORRECTIONS
from gateway.worker import GatewayWorker
from kernel.clock import microseconds
from kernel.ids import new_id
from kernel.messages import Message
from tests.support.gateway import NOW, PASSWORD, UNIT, scored

WHY = "热线系统已登记延期，见申诉材料"
LATE = NOW + timedelta(days=16)


@pytest.fixture
def asks(deliver: Callable[..., None]) -> Callable[..., CorrectionAsked]:
    """Delivers a notice about an event told of a clue; a second delivery is marked as one."""

    def ask(event: Any, *, again: bool = False, **changes: Any) -> CorrectionAsked:
        values: dict[str, Any] = {
            "id": new_id(),
            "service": "gateway",
            "objection": new_id(),
            "event": event.id,
            "unit": event.unit,
            "probe": event.probe,
            "subject": event.subject,
            "outcome": 1,
            "score_milli": 1000,
            "reason": "已依法延期",
            "due_at_us": microseconds(NOW + timedelta(days=30)),
            "occurred_at_us": microseconds(NOW),
        }
        asked = CorrectionAsked(**(values | changes))
        body = asked.SerializeToString(deterministic=True)
        message = Message(id=new_id(), source="assessment", name=CORRECTION_ASKED, body=body)
        deliver(CORRECTION_NOTICES["gateway"], message, again=again)
        return asked

    return ask


@pytest.fixture
def late(app: Any, clock: Any, progress: Any, receipt: str) -> Any:
    """The event of a clue that was answered too late."""
    progress(receipt, 5, LATE, "迟复")
    clock.set(LATE)
    return scored(app)[-1]


def rows(app: Any) -> list[Any]:
    with app.store.reading() as session:
        return list(session.execute(select(CORRECTIONS.table)))


def held(app: Any) -> list[str]:
    with app.store.reading() as session:
        return list(session.scalars(select(app.store.spine.quarantine.c.code)))


def amend(as_account: Any, receipt: str, account: str = "ducha", **body: Any) -> Any:
    said = {"kind": "excluded", "reason": WHY} | body
    return as_account(account)("POST", f"/clues/{receipt}/amendments", json=said)


class TestHearing:
    def test_a_notice_waits_once_until_an_event_in_its_place(self, app, asks, as_account, late, receipt):
        asked = asks(late, again=True)
        (waiting,) = rows(app)
        assert (waiting.id, waiting.event_id, waiting.corrected_at) == (asked.id, late.id, None)
        assert amend(as_account, receipt).status_code == 201
        (closed,) = rows(app)
        assert (closed.correction, closed.corrected_at) == (scored(app)[-1].id, LATE)
        assert scored(app)[-1].corrects == late.id
        assert held(app) == []

    def test_what_was_corrected_before_the_notice_came_needs_no_second_correction(
        self, app, asks, clock, progress, receipt
    ):
        clock.set(NOW + timedelta(days=15))
        app.progress.note_overdue()
        (silent,) = scored(app)
        progress(receipt, 5, LATE)
        asks(silent)
        assert [row.correction for row in rows(app)] == [scored(app)[-1].id]

    def test_an_event_never_told_waits_in_quarantine_and_a_notice_to_another_is_none_of_ours(
        self, app, asks, late
    ):
        asks(late, subject=f"gateway/clues/{new_id()}")
        asks(late, service="enforcement")
        assert (rows(app), held(app)) == ([], ["contracts.unknown_event"])

    def test_the_people_of_the_unit_and_those_above_see_it_and_nobody_else(self, asks, as_account, late):
        asked = asks(late)
        for account in ("tianbao", "shenhe", "ducha"):
            (row,) = as_account(account)("GET", "/corrections-asked?state=waiting").json()["rows"]
            assert (row["id"], row["event"], row["state"]) == (asked.id, late.id, "waiting")
            assert row["unit"] == {"code": UNIT, "name": "新城区市场监督管理局"}
        assert as_account("ducha2")("GET", "/corrections-asked").json() == {"total": 0, "rows": []}
        assert as_account("xitong")("GET", "/corrections-asked").status_code == 403

    def test_how_many_wait_and_since_when_is_measured(self, app, asks, as_account, late, receipt):
        asks(late)
        for measured, age in ((1.0, timedelta(days=16).total_seconds()), (0.0, 0.0)):
            GatewayWorker(app).measure_corrections()
            labels = {"service": "gateway", "kind": "correction"}
            assert REGISTRY.get_sample_value("fazhi_matters_running", labels) == measured
            assert REGISTRY.get_sample_value("fazhi_matters_oldest_seconds", labels) == age
            amend(as_account, receipt)


class TestAmending:
    def test_another_deadline_makes_the_answer_timely_and_both_stay_on_record(
        self, app, asks, as_account, late, receipt
    ):
        asks(late)
        assert amend(as_account, receipt, kind="due", on="2026-12-07").status_code == 201
        event = scored(app)[-1]
        assert (event.outcome, event.score_milli, event.corrects) == (Outcome.PASS, 1000, late.id)
        shown = as_account("ducha")("GET", f"/clues/{receipt}").json()
        assert shown["due_at"] == "2026-12-07T23:59:59+08:00"
        (line,) = shown["amendments"]
        assert (line["kind"], line["reason"]) == ("due", WHY)
        assert (line["former"], line["amended"]) == ("2026-12-04T23:59:59+08:00", "2026-12-07T23:59:59+08:00")

    def test_another_day_of_answering_counts_from_its_beginning(self, app, asks, as_account, late, receipt):
        asks(late)
        assert amend(as_account, receipt, kind="answered", on="2026-12-04").status_code == 201
        assert (scored(app)[-1].outcome, "于 2026-12-04 答复" in scored(app)[-1].reason) == (
            Outcome.PASS,
            True,
        )

    def test_a_clue_that_does_not_count_leaves_the_denominator_and_stays_out_of_it(
        self, app, asks, as_account, clock, progress, receipt
    ):
        clock.set(NOW + timedelta(days=15))
        app.progress.note_overdue()
        asks(scored(app)[-1])
        assert amend(as_account, receipt).status_code == 201
        assert scored(app)[-1].outcome == Outcome.NOT_APPLICABLE
        told = len(scored(app))
        progress(receipt, 5, LATE)
        assert {event.outcome for event in scored(app)[told:]} <= {Outcome.NOT_APPLICABLE}

    def test_a_later_deadline_is_not_due_and_when_it_has_passed_it_is_late_again(
        self, app, asks, as_account, clock, receipt
    ):
        clock.set(NOW + timedelta(days=15))
        app.progress.note_overdue()
        asks(scored(app)[-1])
        assert amend(as_account, receipt, kind="due", on="2026-12-20").status_code == 201
        assert scored(app)[-1].outcome == Outcome.NOT_DUE
        assert app.progress.note_overdue() == 0
        clock.set(NOW + timedelta(days=31))
        assert app.progress.note_overdue() == 1
        assert scored(app)[-1].outcome == Outcome.FAIL

    def test_nothing_is_amended_without_an_upheld_objection_nor_twice_for_one(
        self, app, asks, as_account, late, receipt
    ):
        assert amend(as_account, receipt).json()["code"] == "clues.not_asked"
        asks(late)
        assert amend(as_account, receipt).status_code == 201
        assert amend(as_account, receipt, kind="due", on="2026-12-07").json()["code"] == "clues.not_asked"
        assert len(scored(app)) == 2

    def test_what_makes_no_sense_changes_nothing(self, app, asks, as_account, late, receipt):
        asks(late)
        for body, status, code in (
            ({"kind": "due"}, 422, "clues.bad_day"),
            ({"kind": "due", "on": "2026-11-19"}, 422, "clues.bad_day"),
            ({"kind": "due", "on": "9999-12-31"}, 422, "clues.bad_day"),
            ({"kind": "answered", "on": "2026-12-07"}, 422, "clues.bad_day"),
            ({"kind": "due", "on": "2026-12-04"}, 409, "clues.nothing_amended"),
            ({"reason": " "}, 422, "clues.reason_missing"),
        ):
            answer = amend(as_account, receipt, **body)
            assert answer.status_code == status, body
            said = answer.json()
            assert code in {said["code"], *(one["code"] for one in said["fields"])}
        assert [row.corrected_at for row in rows(app)] == [None]
        assert len(scored(app)) == 1

    def test_an_answer_never_given_has_no_day(self, app, asks, as_account, clock, receipt):
        clock.set(NOW + timedelta(days=15))
        app.progress.note_overdue()
        asks(scored(app)[-1])
        said = amend(as_account, receipt, kind="answered", on="2026-12-04").json()
        assert said["code"] == "clues.not_answered"

    def test_people_of_the_unit_itself_and_those_elsewhere_may_not(
        self, app, asks, as_account, late, receipt
    ):
        own = FirstAccount(
            account="jiandu", name="局督察", unit=UNIT, roles=("inspector",), password=PASSWORD, area="1501"
        )
        with app.store.work() as work:
            known = select(text("password_hash")).select_from(text("accounts")).limit(1)
            enter(work, own, work.session.scalar(known))
            work.commit()
        asks(late)
        for account, status, code in (
            ("jiandu", 403, "clues.own_matter"),
            ("ducha2", 404, "clues.unknown_receipt"),
            ("shenhe", 403, "identity.not_allowed"),
        ):
            answer = amend(as_account, receipt, account)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert amend(as_account, receipt).status_code == 201
        with app.store.reading() as session:
            found = session.execute(
                text("SELECT actor, object FROM audit WHERE action = 'clue.amended'")
            ).all()
        assert [tuple(row) for row in found] == [("ducha", f"clues/{receipt}")]

    def test_the_sender_is_told_nothing_of_it(self, app, asks, as_account, hotline, late, http, receipt):
        asks(late)
        amend(as_account, receipt)
        signed = hotline.signed(receipt.encode(), LATE)
        shown = http.post(f"/api/gateway/v1/clues/{receipt}/follow", headers=signed, content=b"{}")
        assert shown.status_code == 200
        assert "amendments" not in shown.json()

    def test_an_amendment_is_never_changed(self, app, asks, as_account, late, receipt):
        asks(late)
        amend(as_account, receipt)
        with pytest.raises(Exception, match="append-only"), app.store.work() as work:
            work.session.execute(text("UPDATE clue_amendments SET reason = ''"))
