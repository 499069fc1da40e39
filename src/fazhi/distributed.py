"""
The distributed form on one machine: every API and worker a process of its own, over RabbitMQ and PostgreSQL.

Processes are started with the environment they would have on Kubernetes. One that ends is started again; Ctrl-C
stops them all and waits.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import uvicorn

from fazhi.api_process import run_until_told
from fazhi.commands.progress import console
from fazhi.edge import edge
from fazhi.services import NAMES
from kernel.access.files import replace_file
from kernel.access.tokens import make_key, public_half
from kernel.errors import Invalid
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings

STOP_SECONDS = 25
RESTART_SECONDS = 2.0
BUSY = (
    "assessment"  # hears of everything, so its clocks (sealing, scores, warnings) have a process of their own
)


@dataclass(slots=True)
class Fleet:
    """The processes of the distributed form."""

    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, tuple[list[str], int]] = field(default_factory=dict)

    def launch(self, name: str, command: list[str], port: int) -> None:
        """Start (or start again) one process with its own HTTP port."""
        self.commands[name] = (command, port)
        environment = {**self.environment, "FAZHI_PORT": str(port), "FAZHI_GRPC_PORT": str(port + 100)}
        self.running[name] = subprocess.Popen(  # noqa: S603  (our own module, our own arguments)
            [sys.executable, "-m", *command], env=environment, start_new_session=True
        )

    def revive(self) -> list[str]:
        """Start again what has ended; returns the names."""
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        for name in ended:
            self.launch(name, *self.commands[name])
        return ended

    def stop(self) -> None:
        """Ask every process to end, and wait."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        ends = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def surroundings(settings: Settings, *, as_owner: bool) -> dict[str, str]:
    """Our variables for processes that use these servers; a file that names another one would win over them."""
    servers = {"FAZHI_DATABASE_URL": settings.database_url, "FAZHI_BROKER_URL": settings.broker_url}
    if as_owner:
        servers["FAZHI_OWNER_URL"] = settings.owner_url
    others = ("FAZHI_DATABASE_URL", "FAZHI_BROKER_URL", "FAZHI_OWNER_URL")
    ours = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in others}
    return {**ours, **servers, "FAZHI_DATA": str(settings.data.resolve())}


def fleet(settings: Settings, *, first_port: int) -> tuple[Fleet, dict[str, str]]:
    """All processes, started; and the address of each API."""
    data = settings.data.resolve()
    key = data / "keys" / "identity.pem"
    make_key(key)
    public = key.with_suffix(".pub.pem")
    replace_file(public, public_half(key.read_bytes()), mode=0o644)
    for name in NAMES:
        Runtime(settings).source_keys(name)
    environment = {
        **surroundings(settings, as_owner=False),
        "FAZHI_IDENTITY_KEY_FILE": str(key),
        "FAZHI_IDENTITY_PUBLIC_KEY_FILE": str(public),
        "FAZHI_COOKIE_SECURE": "false",
        "FAZHI_CONSOLE": str(settings.console),
        "FAZHI_CATALOG": str(settings.catalog),
        "FAZHI_LOG_LEVEL": settings.log_level,
    }
    processes = Fleet(environment)
    addresses = {}
    for place, name in enumerate(NAMES):
        port = first_port + place
        processes.launch(f"{name}.api", ["fazhi", "api", name], port)
        if name == BUSY:
            processes.launch(f"{name}.worker", ["fazhi.worker_process", name, "hears"], port + 20)
            processes.launch(f"{name}.clocks", ["fazhi.worker_process", name, "clocks"], port + 40)
        else:
            processes.launch(f"{name}.worker", ["fazhi.worker_process", name], port + 20)
        addresses[name] = f"http://127.0.0.1:{port}"
    return processes, addresses


def up(settings: Settings, *, port: int, with_servers: bool) -> None:
    """Start everything, serve the entry at `port`, and keep it running until stopped."""
    with ExitStack() as stack:
        if with_servers:
            settings = _with_servers(settings, stack)
        if not settings.database_url or not settings.broker_url:
            raise Invalid(
                "分布式形态需要 FAZHI_DATABASE_URL 和 FAZHI_BROKER_URL，或加上 --with-servers 使用本机临时服务器。",
                code="fazhi.servers_missing",
            )
        subprocess.run(
            [sys.executable, "-m", "fazhi", "migrate"],
            env=surroundings(settings, as_owner=True),
            check=True,
        )
        processes, addresses = fleet(settings, first_port=port + 1000)
        stack.callback(processes.stop)
        console.print(f"入口 http://127.0.0.1:{port}，{len(processes.running)} 个进程；Ctrl-C 停止。")
        if with_servers:
            console.print("其他命令（如 ./fazhi demo）使用同一套服务器时，先设置：")
            for name, value in (("DATABASE_URL", settings.database_url), ("BROKER_URL", settings.broker_url)):
                console.print(f"  export FAZHI_{name}='{value}'", markup=False, soft_wrap=True)
            console.print(f"  export FAZHI_DATA='{settings.data.resolve()}'", markup=False, soft_wrap=True)
        config = uvicorn.Config(
            edge(addresses, addresses["gateway"]),
            host="127.0.0.1",
            port=port,
            log_config=None,
            access_log=False,
        )
        stack.enter_context(_looked_after(processes))
        run_until_told(config)


@contextmanager
def _looked_after(processes: Fleet) -> Iterator[None]:
    """Start again what ends, for as long as the entry is served."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(RESTART_SECONDS):
            for name in processes.revive():
                console.print(f"{name} 已退出，重新启动")

    watcher = threading.Thread(target=look, name="watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _with_servers(settings: Settings, stack: ExitStack) -> Settings:
    # The room that starts real servers serves tests and this command alike.
    from tests.support.postgresql import PostgreSQL
    from tests.support.rabbitmq import RabbitMQ

    console.print("正在启动 PostgreSQL 和 RabbitMQ …")
    database = stack.enter_context(PostgreSQL())
    broker = stack.enter_context(RabbitMQ())
    # Roles as in production: the services own nothing (R51).
    urls = {name: database.create_separated(f"fazhi_{name}") for name in NAMES}
    service, owner = (url.replace("fazhi_gateway", "fazhi_{service}") for url in urls["gateway"])
    return settings.model_copy(update={"database_url": service, "owner_url": owner, "broker_url": broker.url})
