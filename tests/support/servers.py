"""
What every real server in this room has in common: a folder, a process, a wait and an end.

A server is a context manager. Its process runs in a session of its own, so that Ctrl-C in the terminal
reaches only us and we stop it in order; as root it gives up root first (PostgreSQL insists). A small
guard process holds a pipe to us: if we die without a word (SIGKILL, power of a test), the pipe closes
and the guard kills the server and removes its temporary folder. So nothing is left running, ever.

One file per server beside this one says how it is started and how its own tool tells that it is ready.
"""

import atexit
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

LOOPBACK = "127.0.0.1"
_BELOW_EPHEMERAL = range(15_000, 32_000)
_GUARD = 'read -r _; folder=$1; shift; kill -s KILL -- "$@"; [ -z "$folder" ] || rm -rf -- "$folder"'


class ServerUnavailable(RuntimeError):
    """A server cannot be had on this machine; the message names what to install."""


class ServerFailed(RuntimeError):
    """A server that is installed did not start or did not stop; the message ends with its log."""


def program(name: str, *, package: str, places: Iterable[str] = ()) -> Path:
    """Path of a program, looked for in `places` (globs, newest first) and then in PATH.

    Raises ServerUnavailable, naming the Debian package to install.
    """
    for place in places:
        for folder in sorted(Path("/").glob(place.lstrip("/")), key=_version, reverse=True):
            if os.access(folder / name, os.X_OK):
                return folder / name
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found:
        return Path(found)
    raise ServerUnavailable(missing(name, package))


def missing(name: str, package: str) -> str:
    """The sentence that says which Debian package brings a missing program."""
    return (
        f"缺少程序 {name}，请以管理员身份执行：apt-get install {package}"
        f" / {name} is missing: as root, run: apt-get install {package}"
    )


def _version(folder: Path) -> list[int]:
    return [
        int(part) for part in folder.as_posix().replace("/", " ").replace(".", " ").split() if part.isdigit()
    ]


def free_port() -> int:
    """A loopback TCP port nobody listens on, below the range outgoing connections take theirs from.

    A server that is killed and started again needs the same port; in the ephemeral range any client on
    the machine could have taken it in between.
    """
    for port in random.SystemRandom().sample(_BELOW_EPHEMERAL, 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise ServerFailed("没有空闲的本机端口 / no free loopback port")


def descendants(pid: int) -> list[int]:
    """Process ids below `pid`, parents first. PostgreSQL's children leave its process group."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for each in found:
        found.extend(children.get(each, ()))
    return found[1:]


class Server(ABC):
    """One server process on loopback, with a folder of its own.

    `folder` given: kept after the end and used again by the next start. Not given: temporary.
    """

    title: ClassVar[str]
    accounts: ClassVar[tuple[str, ...]] = ("nobody",)
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    boot_seconds: ClassVar[float] = 60.0

    def __init__(self, folder: Path | None = None) -> None:
        self._kept = folder
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._companions: list[subprocess.Popen[bytes]] = []
        self._guard: subprocess.Popen[bytes] | None = None
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
            self._folder = self._kept or Path(tempfile.mkdtemp(prefix=f"fazhi-{self.title.lower()}-"))
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
        command = self.command()
        self.prepare()
        self._process = self._launch(command)
        self._guard = self._launch_guard()
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
        """End the server as a power cut would: SIGKILL, nothing flushed."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        self._forget()

    def restart(self) -> None:
        """Stop in order and start again with the same ports and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove a temporary folder."""
        self.stop()
        atexit.unregister(self._close_at_exit)
        if self._folder is not None and self._kept is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def sigstop(self) -> None:
        """Freeze the server and all its children: connections stay open and nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def sigcont(self) -> None:
        """Let a frozen server go on."""
        self._signal_all(signal.SIGCONT)

    def accompany(self, command: Sequence[str | Path]) -> None:
        """Start a process the server needs beside it; it ends when the server ends."""
        self._companions.append(self._launch(command))

    def _launch(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._as_account(), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment()},
                cwd=self.folder,
                start_new_session=True,
            )

    def _launch_guard(self) -> subprocess.Popen[bytes]:
        groups = [f"-{process.pid}" for process in (*self._companions, self._process) if process]
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", "" if self._kept else str(self.folder), *groups],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, *command: str | Path, timeout: float = 60.0) -> str:
        """Run one of the server's own tools to its end and return what it printed.

        Raises ServerFailed with the tool's words.
        """
        done = subprocess.run(
            [*self._as_account(), *command],
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
        if account := self._account():
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

    def _account(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        known = {account.pw_name: account for account in pwd.getpwall()}
        return next((known[name] for name in self.accounts if name in known), None)

    def _as_account(self) -> list[str]:
        if (account := self._account()) is None:
            return []
        tool = program("setpriv", package="util-linux")
        return [str(tool), f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.boot_seconds
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                said = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
                self.kill()
                raise ServerFailed(f"{self.title} 未能启动 / {self.title} did not start:\n{said}")
            time.sleep(0.1)

    def _signal_all(self, sent: signal.Signals) -> None:
        for pid in (self.pid, *descendants(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)

    def _forget(self) -> None:
        self._process = None
        while self._companions:
            companion = self._companions.pop()
            companion.kill()
            companion.wait()
        if self._guard is not None:
            # First the guard, then its pipe: it must not kill a stranger that got the same number.
            self._guard.kill()
            self._guard.communicate()
            self._guard = None

    def _close_at_exit(self) -> None:
        # A forked child inherits this hook but not the right to stop its parent's server.
        if os.getpid() == self._owner:
            self.close()
