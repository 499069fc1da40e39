"""
Orders under a simulated world: people act, schedulers run, die at any statement and run again, clocks jump.

A hypothesis machine drives the product's own services over SQLite. After each step every order has a state, a due
time until it ends and an outcome then; each due time went up at most once; one event of an order stands.
"""

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, text

from kernel.clock import FixedClock
from kernel.errors import PermanentError
from kernel.storage.work import Work
from services.assessment.rectification import service
from services.assessment.rectification.model import ORDER_EVENTS, ORDERS
from services.assessment.rectification.rules import (
    ACTIVE,
    ACTS,
    CLOSED,
    OUTCOMES,
    PROBES,
    STATES,
    Handled,
    MatterFact,
    OrderProgress,
    after,
    may_end,
    replay,
)
from services.assessment.rectification.timeline import facts_of
from services.assessment.scoring.model import EVENT_LOG, STANDING
from tests.support.stores import built, sqlite_runtime
from tests.support.supervision import CHECKER, CITY_INSPECTOR, CLERK, ISSUER, UNIT, county

SEQUENCES = int(os.environ.get("FAZHI_SEQUENCES", "8"))
BEFORE_MIDNIGHT = datetime(2028, 2, 28, 15, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process died here."""


class Loop(RuleBasedStateMachine):
    """People, schedulers and clocks around orders."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(BEFORE_MIDNIGHT)
        self.runtime = sqlite_runtime(Path(self.folder.name), self.clock)
        self.app = built(self.runtime, "services.assessment")
        county(_Door(self.app))
        self.orders: list[str] = []
        self.reached = BEFORE_MIDNIGHT

    @rule(days=st.integers(1, 6), proposed=st.booleans())
    def open(self, days: int, proposed: bool) -> None:
        opening = service.Opening(
            unit=UNIT, node="", matter=f"m/{len(self.orders)}", title="t", reason="r", proof="p"
        )
        due_on = (self.clock.now() + timedelta(days=days)).date()
        who = CHECKER if proposed else ISSUER
        made = self.app.supervision.orders.open(who, opening, due_on=due_on, checked_not_pending=True)
        self.orders.append(made)

    @rule(
        pick=st.integers(0, 50),
        act=st.sampled_from(("answer", "check", "unmet", "back", "extend", "issue", "close")),
        outcome=st.sampled_from(OUTCOMES),
    )
    def people(self, pick: int, act: str, outcome: str) -> None:
        if not self.orders:
            return
        order, orders = self.orders[pick % len(self.orders)], self.app.supervision.orders
        tomorrow = (self.clock.now() + timedelta(days=2)).date()
        acts = {
            "answer": lambda: orders.answer(CLERK, order, "做完了"),
            "check": lambda: orders.check(CHECKER, order, is_met=True, note="好"),
            "unmet": lambda: orders.check(CHECKER, order, is_met=False, note="不好"),
            "back": lambda: orders.send_back(ISSUER, order, "缺", due_on=tomorrow),
            "extend": lambda: orders.extend(CITY_INSPECTOR, order, "延", tomorrow),
            "issue": lambda: orders.issue(ISSUER, order, checked_not_pending=True),
            "close": lambda: orders.close(ISSUER, order, outcome, "结"),
        }
        with suppress(PermanentError):  # not possible now, which is an answer too
            acts[act]()

    @rule(hours=st.sampled_from((-25, -1, 1, 2, 24, 24 * 4, 24 * 20)))
    def clock_jumps(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.reached = max(self.reached, self.clock.now())

    @rule(times=st.integers(1, 2))
    def scheduler(self, times: int) -> None:
        for _ in range(times):
            self.app.supervision.orders.escalate()
        self._nothing_overdue_waits()

    @rule(at=st.integers(0, 5))
    def scheduler_dies(self, at: int) -> None:
        """The process dies inside a turn, before or at its commit."""
        steps = iter(range(at))
        commit = Work.commit
        write = service.effect.score

        def dying(*arguments: object, **named: object) -> object:
            if next(steps, None) is None:
                raise Killed
            return write(*arguments, **named)  # type: ignore[arg-type]

        def dying_commit(work: Work) -> None:
            if next(steps, None) is None:
                raise Killed
            commit(work)

        service.effect.score, Work.commit = dying, dying_commit  # type: ignore[assignment, method-assign]
        try:
            self.app.supervision.orders.escalate()
        except Killed:
            pass
        finally:
            service.effect.score, Work.commit = write, commit  # type: ignore[method-assign]

    def _nothing_overdue_waits(self) -> None:
        now = self.clock.now()
        with self.app.store.reading() as session:
            rows = session.execute(select(ORDERS).where(ORDERS.c.due_at <= now)).all()
        assert [row.id for row in rows if row.escalated_due != row.due_at] == []

    @invariant()
    def no_order_is_silent(self) -> None:
        if not getattr(self, "orders", None):
            return
        standing = text(
            f"SELECT count(*) FROM {EVENT_LOG.name} e WHERE e.leaf LIKE :of AND {STANDING}"  # noqa: S608
        )
        with self.app.store.reading() as session:
            rows = session.execute(select(ORDERS)).all()
            facts = facts_of(session, ORDER_EVENTS, self.orders)
            stand = {
                row.id: session.execute(standing, {"of": f"%orders/{row.id}%"}).scalar_one() for row in rows
            }
        assert {row.id for row in rows} == set(self.orders)
        for row in rows:
            progress = replay(facts[row.id])
            assert (row.state, row.due_at, row.outcome, row.version) == (
                progress.state,
                progress.due_at,
                progress.outcome,
                progress.version,
            )
            assert (row.state == CLOSED) == (row.due_at is None) == bool(row.outcome)
            up = [fact.due_at for fact in facts[row.id] if fact.kind == "escalated"]
            assert len(up) == len(set(up))
            assert all(due is not None and due <= self.reached for due in up)
            assert stand[row.id] == (row.scored_event is not None)

    def teardown(self) -> None:
        if hasattr(self, "runtime"):
            self.runtime.close()
            self.folder.cleanup()


class _Door:
    def __init__(self, app: object) -> None:
        self._app = app

    def units(self, *units: object) -> None:
        from kernel.messages import Item
        from services.assessment.tables import UNITS

        with self._app.store.work() as work:  # type: ignore[attr-defined]
            UNITS.apply(work, [Item("gateway", unit.code, unit.SerializeToString(), unit) for unit in units])  # type: ignore[attr-defined]
            work.commit()


TestTheLoop = Loop.TestCase
TestTheLoop.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=25,
    deadline=None,
    derandomize=SEQUENCES == 8,
    suppress_health_check=[HealthCheck.too_slow],
)


AT = datetime(2026, 3, 5, tzinfo=UTC)


def a_fact(seq: int, kind: str) -> MatterFact:
    detail = {"outcome": "not_established", "is_met": True, "digest": "sha256:0"}
    return MatterFact(seq, kind, "a", "u", AT, AT + timedelta(days=seq), "n", detail)


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_whatever_is_tried_an_order_is_in_one_of_its_states_with_a_due_time_until_it_ends(
    kinds: list[str],
) -> None:
    progress = OrderProgress()
    for seq, kind in enumerate(kinds, start=1):
        try:
            progress = after(progress, a_fact(seq, kind))
        except ValueError:
            continue
        assert progress.state in STATES
        assert (progress.due_at is None) == (progress.state == CLOSED)
        assert bool(progress.outcome) == (progress.state == CLOSED)


@given(st.sampled_from(sorted(ACTIVE)), st.booleans())
def test_every_running_state_has_an_ending_that_an_inspector_may_choose_at_once(
    state: str, is_overdue: bool
) -> None:
    progress = OrderProgress(state=state, due_at=AT)  # type: ignore[arg-type]
    assert any(may_end(progress, outcome, is_overdue=is_overdue) for outcome in OUTCOMES)


@given(st.sampled_from(OUTCOMES), st.booleans())
def test_being_in_time_is_never_worth_less_than_being_late(outcome: str, is_late: bool) -> None:
    (probe,) = PROBES
    early = probe.look(Handled(outcome, is_late=False), AT)
    other = probe.look(Handled(outcome, is_late=is_late), AT)
    assert early.score_milli >= other.score_milli
    assert early.basis
