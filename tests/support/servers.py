"""
What every real server in this room has in common: a folder, a process, a wait and an end.

A server is a context manager. Its process runs in a session of its own, so that Ctrl-C in the terminal
reaches only us and we stop it in order; as root it gives up root first (PostgreSQL insists). If we die
without a word, a guard kills it and removes its temporary folder (processes.py), so nothing is ever left.

One file per server beside this one says how it is started and how its own tool tells that it is ready.
"""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.support.processes import (
    dismiss_guard,
    launch_guard,
    lesser_account,
    lowered,
    signal_family,
    wait_until_stopped,
)


class ServerFailed(RuntimeError):
    """A server that is installed did not start, or its tool refused; the message ends with its words."""


def has_room(folder: Path, gigabytes: int = 4) -> bool:
    """Whether a folder is there with so much room."""
    return folder.is_dir() and shutil.disk_usage(folder).free > gigabytes << 30


class Server(ABC):
    """One server process on loopback, with a folder of its own.

    `folder` given: kept after the end and used again by the next start. Not given: temporary.
    """

    title: ClassVar[str]
    accounts: ClassVar[tuple[str, ...]] = ("nobody",)
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    boot_seconds: ClassVar[float] = 60.0

    memory: ClassVar[Path] = Path("/dev/shm")

    def __init__(self, folder: Path | None = None, *, in_memory: bool = False) -> None:
        """`in_memory`: a temporary folder is made in memory where there is room, for what is not about disks."""
        self._kept = folder
        self.in_memory = in_memory and has_room(self.memory)
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._companions: list[subprocess.Popen[bytes]] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._account = lesser_account(self.accounts)
        self._owner = os.getpid()

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration and data into `folder`; called before every start."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The server in the foreground, as one process that does not fork away."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers, asked with its own tool."""

    def environment(self) -> Mapping[str, str]:
        """Variables added to ours, for the server and for its tools."""
        return {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where the server keeps everything it writes."""
        if self._folder is None:
            made = partial(tempfile.mkdtemp, prefix=f"fazhi-{self.title.lower()}-")
            self._folder = self._kept or Path(made(dir=self.memory if self.in_memory else None))
            self._folder.mkdir(parents=True, exist_ok=True)
            self.give(self._folder)
        return self._folder

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise ServerFailed(f"{self.title} 没有运行 / {self.title} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process exists; says nothing about readiness."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until the server is ready. A running server is left alone.

        Raises ServerUnavailable if it is not installed, ServerFailed if it does not come up.
        """
        if self.is_running:
            return
        self._forget()
        command = self.command()
        self.prepare()
        self._process = self._launch(command)
        groups = [process.pid for process in (*self._companions, self._process)]
        self._guard = launch_guard(groups, None if self._kept else self.folder)
        atexit.register(self._close_at_exit)
        self._wait_until_ready()

    def stop(self, sent: signal.Signals | None = None) -> None:
        """Ask the server to end and wait for it; after 20 s it is killed. Its folder stays."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(sent or self.stop_signal)
            # A process stopped by SIGSTOP takes no other signal before it is continued.
            self.sigcont()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """End the server and all its children as a power cut would: SIGKILL, nothing flushed."""
        if self._process is None:
            return
        signal_family(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        self._forget()

    def discard(self) -> None:
        """End a server whose folder is thrown away: it need not put anything in order."""
        self.kill()

    def restart(self) -> None:
        """Stop in order and start again with the same ports and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove a temporary folder."""
        if self._kept is None:
            self.discard()
        else:
            self.stop()
        atexit.unregister(self._close_at_exit)
        if self._folder is not None and self._kept is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def sigstop(self) -> None:
        """Freeze the server and all its children: connections stay open and nobody answers."""
        signal_family(self.pid, signal.SIGSTOP)
        wait_until_stopped(self.pid)

    def sigcont(self) -> None:
        """Let a frozen server go on."""
        signal_family(self.pid, signal.SIGCONT)

    def accompany(self, command: Sequence[str | Path]) -> None:
        """Start a process the server needs beside it; it ends when the server ends."""
        self._companions.append(self._launch(command))

    def run(self, *command: str | Path, timeout: float = 60.0) -> str:
        """Run one of the server's own tools to its end and return what it printed.

        Raises ServerFailed with the tool's words.
        """
        done = subprocess.run(
            [*lowered(self._account), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment()},
            cwd=self.folder,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise ServerFailed(
                f"{Path(command[0]).name} {done.returncode}: {(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def succeeds(self, *command: str | Path) -> bool:
        """Whether one of the server's own tools ends well."""
        try:
            self.run(*command)
        except (ServerFailed, subprocess.TimeoutExpired):
            return False
        return True

    def give(self, path: Path) -> None:
        """Hand a file or folder to the account the server runs under."""
        if account := self._account:
            os.chown(path, account.pw_uid, account.pw_gid)

    def write(self, name: str, text: str) -> Path:
        """Write one file of configuration, readable by nobody but the server."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.give(path)
        return path

    @property
    def log(self) -> Path:
        """Everything the server printed."""
        return self.folder / "log.txt"

    def _launch(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*lowered(self._account), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment()},
                cwd=self.folder,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.boot_seconds
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                said = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
                self.kill()
                raise ServerFailed(f"{self.title} 未能启动 / {self.title} did not start:\n{said}")
            time.sleep(0.1)

    def _forget(self) -> None:
        self._process = None
        while self._companions:
            companion = self._companions.pop()
            companion.kill()
            companion.wait()
        if self._guard is not None:
            dismiss_guard(self._guard)
            self._guard = None

    def _close_at_exit(self) -> None:
        # A forked child inherits this hook but not the right to stop its parent's server.
        if os.getpid() == self._owner:
            self.close()
