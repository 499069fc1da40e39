"""
P1: no acknowledged business event is lost, and each counts exactly once.

Sources, their relays and the assessment worker run as processes over a RabbitMQ and a PostgreSQL of their own.
While acts flow, processes are killed at random, the broker is killed, PostgreSQL is stopped as by a power cut.
Then everything is left alone until it is quiet, and what was acknowledged, committed and counted is compared.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from fazhi.prove.driver import Driver
from fazhi.prove.source import METADATA
from fazhi.services import build
from kernel.errors import TemporaryError
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from kernel.telemetry.log import configure

SOURCES = ("enforcement", "disputes", "decisions", "legislation")


@dataclass(frozen=True, slots=True)
class Form:
    """How hard and how long."""

    name: str
    sources: int
    seconds: float
    rate_a_source: float
    victims: tuple[str, ...]
    great: dict[str, int]
    drain_seconds: float
    least_absorbed: int


WAKE_SECONDS = 3.0
CALM_SECONDS = 4.0  # a process is killed at work, not while it starts; a quorum queue not while it is made
START_SECONDS = 60.0
LEAST_ACKNOWLEDGED = 500
EVERYBODY = ("source", "relay", "worker")
FORMS = {
    "short": Form(
        "short",
        sources=2,
        seconds=50.0,
        rate_a_source=120.0,
        victims=EVERYBODY,
        great={"broker": 1, "database": 1, "broker_frozen": 4, "database_frozen": 3},
        drain_seconds=60.0,
        least_absorbed=1,
    ),
    "long": Form(
        "long",
        sources=4,
        seconds=600.0,
        rate_a_source=100.0,
        victims=EVERYBODY,
        great={"broker": 2, "database": 2, "broker_frozen": 20, "database_frozen": 10},
        drain_seconds=30.0,
        least_absorbed=100,
    ),
    # Each planted bug is provoked where it hurts, so that showing it takes seconds.
    "cursor_relay": Form("cursor_relay", 1, 15.0, 400.0, (), {}, 8.0, 0),
    "ack_before_commit": Form(
        "ack_before_commit", 2, 40.0, 200.0, ("worker",), {"database_frozen": 2}, 8.0, 0
    ),
    "no_inbox": Form("no_inbox", 1, 20.0, 200.0, (), {"broker_frozen": 3}, 15.0, 0),
}


@dataclass(slots=True)
class Trial:
    """One run of the experiment."""

    form: Form
    seed: int
    bug: str
    folder: Path
    broker: Any
    database: Any
    chance: random.Random
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    born: dict[str, float] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that take part."""
        return SOURCES[: self.form.sources]

    def prepare(self) -> None:
        """Databases, tables, topology, processes."""
        for name in (*self.sources, "assessment"):
            self.database.create_database(name)
        for name in self.sources:
            engine = create_engine(self.database.url_of(name), poolclass=NullPool)
            METADATA.create_all(engine)
        runtime = Runtime(Settings(data=self.folder, database_url=self._url("assessment")))
        build("assessment", runtime).migrate()
        runtime.close()
        for name in (
            *(f"source {s}" for s in self.sources),
            *(f"relay {s}" for s in self.sources),
            "worker assessment",
        ):
            self.launch(name)

    def launch(self, name: str) -> None:
        """Start one process (again)."""
        role, service = name.split(" ")
        environment = {
            **os.environ,
            "PROVE_SEED": str(self.seed + sum(self.kills.values())),
            "PROVE_PLANT": self.bug if role != "source" else "",
            "PROVE_REPEATS": str(self.folder / "repeats"),
            "PROVE_DATABASE_URL": self._url(service),
            "FAZHI_DATABASE_URL": self._url(service),
            "FAZHI_BROKER_URL": self.broker.url,
            "FAZHI_DATA": str(self.folder),
            "FAZHI_PORT": "0",
            "FAZHI_LOG_LEVEL": "ERROR",
        }
        module = (
            ["fazhi.prove.source", service] if role == "source" else ["fazhi.prove.worker", role, service]
        )
        if role == "source":
            environment["PROVE_PORT"] = str(self.ports.setdefault(name, _free_port()))
        log = (self.folder / f"{name.replace(' ', '-')}.log").open("ab")
        command = [sys.executable, "-W", "ignore", "-m", *module]
        self.processes[name] = subprocess.Popen(command, env=environment, stderr=log, stdout=log)  # noqa: S603
        self.born[name] = time.monotonic()

    def storm(self) -> None:
        """Kill and stop things until the time is up."""
        ends = time.monotonic() + self.form.seconds
        great = sorted(
            (self.chance.uniform(0.05, 0.8) * self.form.seconds, fault)
            for fault, times in self.form.great.items()
            for _ in range(times)
        )
        started = time.monotonic()
        while time.monotonic() < ends:
            if great and time.monotonic() - started > great[0][0]:
                self._strike(great.pop(0)[1])
                continue
            if victims := self._at_work():
                victim = self.chance.choice(victims)
                self._kill(victim)
                self.launch(victim)
            time.sleep(self.chance.uniform(0.5, 1.5))

    def wait_until_it_flows(self) -> None:
        """Wait until something of every source was counted; raises TemporaryError when it never is."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self._scalar("assessment", "SELECT count(DISTINCT source) FROM event_log") == len(
                self.sources
            ):
                time.sleep(CALM_SECONDS)
                return
            time.sleep(0.5)
        raise TemporaryError("一分钟内没有事件从来源到达考核，无法开始证明。", code="prove.did_not_start")

    def _at_work(self) -> list[str]:
        now = time.monotonic()
        return [
            name
            for name in sorted(self.processes)
            if name.split(" ")[0] in self.form.victims and now - self.born[name] > CALM_SECONDS
        ]

    def _kill(self, victim: str) -> None:
        self.processes[victim].kill()
        self.processes[victim].wait()
        self.kills[victim.split(" ", maxsplit=1)[0]] += 1

    def _strike(self, fault: str) -> None:
        self.kills[fault] += 1
        if fault == "broker":
            self.broker.kill()
            self.broker.start()
        elif fault == "database":
            self.database.stop_immediate()
            time.sleep(1)
            self.database.start()
        else:
            self._freeze(fault)

    def _freeze(self, fault: str) -> None:
        """Kill processes while they wait for an answer that is already on its way: the outcome is unknown."""
        server, role = (self.broker, "relay") if fault == "broker_frozen" else (self.database, "worker")
        server.sigstop()
        time.sleep(1.5)
        victims = [name for name in self.processes if name.startswith(role)]
        for victim in victims:
            self._kill(victim)
        server.sigcont()
        for victim in victims:
            self.launch(victim)
        time.sleep(WAKE_SECONDS)

    def drain(self) -> float | None:
        """Seconds until everything committed was counted; None when it never was."""
        started = time.monotonic()
        while time.monotonic() - started < self.form.drain_seconds:
            with suppress(TemporaryError):
                waiting = sum(
                    self._scalar(name, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
                    for name in self.sources
                )
                told = sum(self._scalar(name, "SELECT count(*) FROM findings") for name in self.sources)
                if not waiting and self._scalar("assessment", "SELECT size FROM log_head") >= told:
                    return time.monotonic() - started
            time.sleep(0.5)
        return None

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def judge(self, acknowledged: Path) -> dict[str, Any]:
        """Compare what was acknowledged, committed and counted."""
        said = set(acknowledged.read_text().split())
        committed: set[str] = set()
        expected: Counter[tuple[str, str, str]] = Counter()
        for name in self.sources:
            for key, unit, probe, score in self._rows(name, "SELECT key, unit, probe, score_milli FROM acts"):
                committed.add(key)
                expected[name, unit, probe] += score
        counted: Counter[str] = Counter()
        reached: Counter[tuple[str, str, str]] = Counter()
        for source, subject, unit, probe, score in self._rows(
            "assessment",
            "SELECT source, CAST(leaf AS json)->>'subject', unit, probe, score_milli FROM event_log",
        ):
            counted[subject.removeprefix("prove/acts/")] += 1
            reached[source, unit, probe] += score
        states = {
            (unit, probe): int(total)
            for unit, probe, total in self._rows(
                "assessment", "SELECT unit, probe, sum(graded_milli) FROM probe_states GROUP BY unit, probe"
            )
        }
        by_state: Counter[tuple[str, str]] = Counter()
        for (_, unit, probe), score in expected.items():
            by_state[unit, probe] += score
        repeats = self.folder / "repeats"
        return {
            "acknowledged": len(said),
            "committed": len(committed),
            "counted": sum(counted.values()),
            "unacknowledged_but_committed": len(committed - said),
            "acknowledged_not_committed": len(said - committed),
            "lost": len(committed - set(counted)),
            "doubled": sum(count - 1 for count in counted.values()),
            "phantom": len(set(counted) - committed),
            "sums_differ": sum(reached[k] != expected[k] for k in expected | reached)
            + sum(states.get(k, 0) != v for k, v in by_state.items()),
            "quarantined": self._scalar("assessment", "SELECT count(*) FROM quarantine"),
            "absorbed": sum(map(int, repeats.read_text().split())) if repeats.exists() else 0,
        }

    def _url(self, service: str) -> str:
        return str(self.database.url_of(service))

    def _rows(self, service: str, query: str) -> list[Any]:
        from kernel.storage.db import translated_errors

        engine = create_engine(self._url(service), poolclass=NullPool)
        with translated_errors(), engine.connect() as connection:
            return list(connection.execute(text(query)))

    def _scalar(self, service: str, query: str) -> int:
        return int(self._rows(service, query)[0][0])


def prove(form: Form, seed: int, bug: str = "") -> dict[str, Any]:
    """Run the experiment; the result has every counter and `passed`."""
    from tests.support.postgresql import (
        PostgreSQL,  # the room that starts real servers is shared with the tests
    )
    from tests.support.rabbitmq import RabbitMQ

    configure(level="ERROR", process="prove")  # the line of the result is all that goes to standard output
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fazhi-prove-")))
        broker, database = stack.enter_context(RabbitMQ()), stack.enter_context(PostgreSQL())
        trial = Trial(form, seed, bug, folder, broker, database, random.Random(seed))  # noqa: S311
        stack.callback(trial.stop)
        trial.prepare()
        acknowledged = folder / "acknowledged"
        addresses = {name: f"http://127.0.0.1:{trial.ports[f'source {name}']}" for name in trial.sources}
        driver = Driver(addresses, acknowledged, rate_a_source=form.rate_a_source)
        driver.start()
        try:
            trial.wait_until_it_flows()
            trial.storm()
        finally:
            driver.stop()
        drained = trial.drain()
        found = trial.judge(acknowledged)
    found = {"promise": "P1", "form": form.name, "seed": seed, "planted": bug, **found}
    found["refused"] = driver.refused
    found["kills"] = dict(trial.kills)
    found["drained_seconds"] = None if drained is None else round(drained, 1)
    found["seconds"] = round(time.monotonic() - started, 1)
    found["faults"] = list(_faults(found, form))
    found["passed"] = not found["faults"]
    return found


def _faults(found: dict[str, Any], form: Form) -> list[str]:
    must_be_none = (
        "acknowledged_not_committed",
        "lost",
        "doubled",
        "phantom",
        "sums_differ",
        "quarantined",
    )
    faults = [name for name in must_be_none if found[name]]
    if found["drained_seconds"] is None:
        faults.append("not_drained")
    if found["absorbed"] < form.least_absorbed or found["acknowledged"] < LEAST_ACKNOWLEDGED:
        faults.append("did_not_bite")  # a storm that nothing noticed proves nothing
    return faults


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
