"""
Room: a real RabbitMQ and a real PostgreSQL for a bench, and what one trial needs of them.

Every trial has fresh databases, copied from one that was migrated once, and queues nobody used before. Its
processes are started by command and ended by process id.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from fazhi.bench.workload import SIGNING, SOURCE, Workload
from fazhi.services import build
from kernel.access.files import replace_file
from kernel.errors import PermanentError
from kernel.hosting.runtime import SOURCE_KEYS, Runtime
from kernel.settings import Settings

TEMPLATE = "bench_template"
LONGEST_TRIAL_SECONDS = 120.0


class BenchFailed(PermanentError):
    """A contender did not do its work; its number is void."""

    code = "fazhi.bench_failed"
    message = "评测未能完成。"


@dataclass(slots=True)
class Trial:
    """One contender's turn: its databases, its queues, its processes."""

    folder: Path
    broker_url: str
    database_url: str
    workload: Workload
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def url_of(self, service: str) -> str:
        """A service's database in this trial."""
        return self.database_url.replace("{service}", service)

    def launch(self, *arguments: str, answers: bool = False) -> subprocess.Popen[bytes]:
        """Start `python -m ARGUMENTS` in this trial's surroundings; `answers`: what it prints is wanted."""
        workload = self.workload
        numbers = (
            workload.events,
            workload.warm_up,
            workload.per_message,
            workload.seed,
            int(workload.signed),
        )
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "FAZHI_DATABASE_URL": self.database_url,
            "FAZHI_BROKER_URL": self.broker_url,
            "FAZHI_DATA": str(self.folder),
            "FAZHI_PORT": "0",
            "FAZHI_LOG_LEVEL": "ERROR",
            "BENCH_WORKLOAD": ",".join(map(str, numbers)),
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  (our own modules, our own arguments)
                [sys.executable, "-W", "ignore", "-m", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if answers else log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    @property
    def log(self) -> Path:
        """Everything the processes of this trial said."""
        return self.folder / "log.txt"

    def check_alive(self) -> None:
        """Raise BenchFailed, with its last words, when a process has ended early."""
        for process in self.processes:
            if process.poll() is not None:
                raise BenchFailed(f"进程提前退出（{process.returncode}）：\n{self.log.read_text()[-2000:]}")

    def wait_until_committed(self, events: int) -> tuple[float, int]:
        """The moment at which so many events were seen committed, and how many they really were."""
        engine = create_engine(self.url_of("assessment"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        ends = time.monotonic() + LONGEST_TRIAL_SECONDS
        with engine.connect() as connection:
            while time.monotonic() < ends:
                size: int = connection.execute(text("SELECT size FROM log_head")).scalar_one()
                if size >= events:
                    return time.monotonic(), size
                self.check_alive()
                time.sleep(0.04)  # looking is work too, on the same cores
        raise BenchFailed(f"{LONGEST_TRIAL_SECONDS:.0f} 秒内未完成：\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End every process of this trial with its children: its database and queue go with it anyway."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # each was started in a session of its own
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


class Room:
    """The servers of one bench."""

    def __init__(self, broker: Any, database: Any, folder: Path) -> None:
        self._broker = broker
        self._database = database
        self._folder = folder
        self._numbers = count(1)
        with closing_runtime(self._folder, database.create_database(TEMPLATE)) as runtime:
            build("assessment", runtime).migrate()

    @contextmanager
    def trial(self, workload: Workload, queue: str) -> Iterator[Trial]:
        """Fresh surroundings for one contender; everything in them ends with the block."""
        number = next(self._numbers)
        folder = self._folder / f"trial-{number}"
        folder.mkdir()
        if workload.signed:  # so the door asks for what the source signed
            replace_file(folder / "keys" / f"{SOURCE_KEYS}-{SOURCE}.pub.pem", SIGNING.public.text())
        names = [f"bench_{number}_{service}" for service in ("assessment", SOURCE)]
        self._administer(f'CREATE DATABASE "{names[0]}" TEMPLATE {TEMPLATE}', f'CREATE DATABASE "{names[1]}"')
        url = self._database.url_of(f"bench_{number}_SERVICE").replace("SERVICE", "{service}")
        trial = Trial(folder, self._broker.url, url, workload)
        try:
            yield trial
        finally:
            trial.stop()
            self._remove(queue)
            self._administer(*(f'DROP DATABASE "{name}" WITH (FORCE)' for name in names))

    def versions(self) -> dict[str, str]:
        """Versions of the servers."""
        with create_engine(self._database.url, poolclass=NullPool).connect() as connection:
            postgresql = connection.execute(text("SHOW server_version")).scalar_one()
        return {"postgresql": str(postgresql), "rabbitmq": self._broker.ctl("version").strip()}

    def _administer(self, *statements: str) -> None:
        engine = create_engine(self._database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def _remove(self, queue: str) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self._broker.url))
        connection.channel().queue_delete(queue)
        connection.close()


@contextmanager
def open_room() -> Iterator[Room]:
    """Start the servers, and stop them at the end."""
    # The room that starts real servers is shared with the tests.
    from tests.support.postgresql import PostgreSQL
    from tests.support.rabbitmq import RabbitMQ

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fazhi-bench-")))
        yield Room(stack.enter_context(RabbitMQ()), stack.enter_context(PostgreSQL()), folder)


@contextmanager
def closing_runtime(folder: Path, database_url: str) -> Iterator[Runtime]:
    """A runtime in this process over one database."""
    runtime = Runtime(Settings(data=folder, database_url=database_url))
    try:
        yield runtime
    finally:
        runtime.close()


def queue_depth(broker_url: str, name: str) -> int | None:
    """How many messages wait in a queue; None while there is no such queue."""
    logging.getLogger("pika").setLevel(logging.ERROR)  # a queue that is not there yet is no warning here
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    try:
        return int(connection.channel().queue_declare(name, passive=True).method.message_count)
    except pika.exceptions.ChannelClosedByBroker:
        return None
    finally:
        connection.close()
