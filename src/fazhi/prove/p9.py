"""
P9: the feedback loop cannot go silent.

Two thousand rectification orders with due times inside the run, over a PostgreSQL of our own. Two schedulers run the
product's clock and are killed again and again, sometimes both at once; the clock they read jumps an hour on and an
hour back and over midnight into a new year, into and out of 29 February 2028. Meanwhile units answer, inspectors
close, and results go to an outside system that is away, unwell, then slow. Then: every overdue order escalated
exactly once for its due time, seconds after it could be known; no order in no state; every result taken over under
its own id. When an escalation was written is measured by the database, whose clock does not jump.
"""

import multiprocessing
import random
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from fazhi.prove import answers, scheduler
from fazhi.prove.answers import Receiver, judge_answers, queue_some, settings_of, waiting
from fazhi.prove.clocks import ShiftedClock, Timeline
from fazhi.prove.orders import (
    CHECKER,
    INSPECTOR,
    Opened,
    answerer,
    judge,
    measure_commits,
    open_some,
    prepare,
)
from fazhi.services import build
from kernel.errors import NotFound, RuleViolation
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from kernel.telemetry.log import configure

# Before midnight in Shanghai, so that days, years and the leap day turn inside the run: (share of the run, clock).
JUMPS: tuple[tuple[float, datetime | timedelta], ...] = (
    (0.0, datetime(2027, 12, 31, 15, 59, 55, tzinfo=UTC)),
    (0.2, timedelta(hours=1)),
    (0.35, timedelta(hours=-1)),
    (0.5, datetime(2028, 2, 28, 15, 59, 56, tzinfo=UTC)),
    (0.65, datetime(2028, 2, 29, 15, 59, 56, tzinfo=UTC)),
    (0.8, datetime(2028, 12, 31, 15, 59, 56, tzinfo=UTC)),
)
MOST_LATE_SECONDS = 30.0
QUIET_SECONDS = 20.0
SENDER_LIVES = 4  # kills of schedulers that one sender outlives
DUE_MOMENTS = 100
ANSWERS = 40
ANSWERED_SHARE, CLOSED_SHARE = 0.08, 0.04


@dataclass(frozen=True, slots=True)
class Form:
    """How many and how long."""

    name: str
    orders: int
    kills: int
    seconds: float


FORMS = {
    "short": Form("short", 2000, 12, 24.0),
    "long": Form("long", 2000, 20, 90.0),
    # Each planted bug is provoked where it hurts, so that showing it takes seconds.
    "remembered_in_memory": Form("remembered_in_memory", 400, 6, 12.0),
    "only_while_running": Form("only_while_running", 400, 6, 12.0),
}


@dataclass(slots=True)
class Trial:
    """One run of the experiment."""

    form: Form
    chance: random.Random
    url: str
    folder: Path
    bug: str
    timeline: Timeline
    gateway_url: str
    receiver: Receiver
    schedulers: list[Any] = field(default_factory=list)
    sender: Any = None
    kills: int = 0

    def launch(self) -> None:
        """Start one more scheduler: a process of its own, forked so that being killed costs little."""
        self.schedulers.append(_forked(scheduler.run, self.url, self.folder, self.bug))

    def storm(self, acts: Any) -> None:
        """Kill schedulers, move the clock and let people act until the time is up and every kill was made."""
        pause = self.form.seconds / (self.form.kills + 1)
        next_kill, down_until = pause, 0.0
        self._replace_sender()
        while (elapsed := self.timeline.elapsed()) < self.form.seconds or (
            self.kills < self.form.kills
            and elapsed < 2 * self.form.seconds  # a machine busy with something else
        ):
            self.timeline.jump_when_due(elapsed)
            self.receiver.behave(elapsed / self.form.seconds)
            if self.schedulers and elapsed >= next_kill and self.kills < self.form.kills:
                self._kill(both=self.chance.random() < 0.25)
                if self.kills % SENDER_LIVES == 0:  # it needs time to start, send and fail before it dies
                    self._replace_sender()
                next_kill += pause
                down_until = elapsed + self.chance.uniform(0, pause / 2)
            if elapsed >= down_until:
                while len(self.schedulers) < 2:
                    self.launch()
            acts()
            time.sleep(0.02)
        while len(self.schedulers) < 2:
            self.launch()

    def _kill(self, *, both: bool) -> None:
        for victim in list(self.schedulers) if both else [self.chance.choice(self.schedulers)]:
            victim.kill()
            victim.join()
            self.schedulers.remove(victim)
        self.kills += 1

    def _replace_sender(self) -> None:
        if self.sender is not None:
            self.sender.kill()
            self.sender.join()
        self.sender = _forked(answers.send, self.gateway_url, self.folder)

    def deliver(self, app: Any) -> None:
        """Let time go by, hour by hour, until every answer was taken over or the promised time is over."""
        self._replace_sender()
        ends = time.monotonic() + QUIET_SECONDS
        while waiting(app) and time.monotonic() < ends:
            self.receiver.behave(1.0)
            self.timeline.move(timedelta(hours=2))
            time.sleep(answers.SEND_SECONDS)

    def stop(self) -> None:
        """End all processes."""
        for process in (*self.schedulers, *([self.sender] if self.sender else [])):
            process.kill()
            process.join()


def _forked(target: Any, *arguments: Any) -> Any:
    """A process of its own that costs little to start again."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def prove(form: Form, seed: int, bug: str = "") -> dict[str, Any]:
    """Run the experiment; the result has every counter and `passed`."""
    from tests.support.postgresql import (
        PostgreSQL,
    )  # the room that starts real servers is shared with the tests

    configure(level="ERROR", process="prove")
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311  (not for secrets)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fazhi-prove-")))
        database = stack.enter_context(PostgreSQL())
        url = database.create_database("assessment")
        timeline = Timeline(folder / "clock", JUMPS, form.seconds)
        timeline.start()
        runtime = Runtime(
            Settings(data=folder, database_url=url, database_pool=0), ShiftedClock(folder / "clock")
        )
        stack.callback(runtime.close)
        service = build("assessment", runtime)
        service.migrate()
        engine = create_engine(url, poolclass=NullPool)
        prepare(service.app)
        measure_commits(engine)
        if bug:
            _forget(engine, bug)
        opened = open_some(service.app, timeline, chance, form.orders, DUE_MOMENTS)
        gateway_url = database.create_database("gateway")
        receiver = Receiver(folder)
        outside_system = _forked(answers.receive, receiver)
        stack.callback(outside_system.kill)
        clock = ShiftedClock(folder / "clock")
        outside = Runtime(settings_of(gateway_url, folder), clock)
        stack.callback(outside.close)
        gateway = queue_some(outside, clock, receiver, ANSWERS)
        timeline.start()  # the run begins when everything is open
        trial = Trial(form, chance, url, folder, bug, timeline, gateway_url, receiver)
        stack.callback(trial.stop)
        trial.storm(_acts(service.app, chance, opened, form))
        _until_quiet(engine, timeline)
        found = judge(engine, timeline, opened)
        trial.deliver(gateway)
        found |= judge_answers(gateway, receiver)
    found = {"promise": "P9", "form": form.name, "seed": seed, "planted": bug, "kills": trial.kills, **found}
    found["clock_jumps"] = len(JUMPS) - 1
    found["seconds"] = round(time.monotonic() - started, 1)
    found["faults"] = list(_faults(found, form))
    found["passed"] = not found["faults"]
    return found


def _acts(app: Any, chance: random.Random, opened: list[Opened], form: Form) -> Any:
    """People act on some orders, spread over the run; each call does one thing at most."""
    answered = int(form.orders * ANSWERED_SHARE)
    chosen = chance.sample(opened, answered + int(form.orders * CLOSED_SHARE))
    waiting = [(order, place < answered) for place, order in enumerate(chosen)]
    chance.shuffle(waiting)
    done: Counter[str] = Counter()

    def act() -> None:
        if not waiting:
            return
        order, is_answer = waiting.pop()
        try:
            if is_answer:
                app.supervision.orders.answer(answerer(order.unit), order.id, "已经整改")
                app.supervision.orders.check(CHECKER, order.id, is_met=True, note="已核对")
            else:
                app.supervision.orders.close(INSPECTOR, order.id, "not_established", "查无此事")
            order.is_touched = True
            done["acts"] += 1
        except (RuleViolation, NotFound):  # ended already, or only proposed
            done["refused"] += 1

    return act


def _until_quiet(engine: Any, timeline: Timeline) -> None:
    """Wait until nothing overdue is left to escalate, or the promised time is over."""
    ends = time.monotonic() + QUIET_SECONDS
    query = text(
        "SELECT count(*) FROM orders o WHERE o.due_at <= :now AND NOT EXISTS (SELECT 1 FROM order_events e "
        "WHERE e.matter = o.id AND e.kind = 'escalated' AND e.due_at = o.due_at)"
    )
    while time.monotonic() < ends:
        with engine.connect() as connection:
            if not connection.execute(query, {"now": timeline.now()}).scalar_one():
                return
        time.sleep(0.5)


def _forget(engine: Any, bug: str) -> None:
    """A planted bug writes what the database would refuse; without its word the bug shows."""
    with engine.begin() as connection:
        for index in ("uq_order_events_escalated", "uq_order_events_seq"):
            connection.execute(text(f"DROP INDEX {index}"))
    assert bug in scheduler.BUGS


def _faults(found: dict[str, Any], form: Form) -> list[str]:
    must_be_none = (
        "missing",
        "doubled",
        "too_early",
        "unknown_due",
        "in_no_state",
        "effects_differ",
        "unmeasured",
        "answers_lost",
        "answers_unknown",
        "answers_changed",
    )
    faults = [name for name in must_be_none if found[name]]
    if found["latest_seconds"] > MOST_LATE_SECONDS:
        faults.append("too_late")
    if found["escalated"] < form.orders // 2 or found["kills"] < form.kills or found["answer_failures"] < 1:
        faults.append("did_not_bite")  # a storm that nothing noticed proves nothing
    return faults
