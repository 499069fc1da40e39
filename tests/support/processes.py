"""
Processes of servers: under which account they run, which belong to them, and how none outlives us.
"""

import contextlib
import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.support.programs import ServerUnavailable, program

LOOPBACK = "127.0.0.1"
_BELOW_EPHEMERAL = range(15_000, 32_000)
_GUARD = 'read -r _; folder=$1; shift; kill -s KILL -- "$@"; [ -z "$folder" ] || rm -rf -- "$folder"'


def free_port() -> int:
    """A loopback TCP port nobody listens on, below the range outgoing connections take theirs from.

    A server that is killed and started again needs the same port; in the ephemeral range any client on
    the machine could have taken it in between.
    """
    for port in random.SystemRandom().sample(_BELOW_EPHEMERAL, 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise ServerUnavailable("没有空闲的本机端口 / no free loopback port")


def lesser_account(names: Iterable[str]) -> pwd.struct_passwd | None:
    """The first of these accounts that exists, if we are root; None means: run as whoever we are."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next((known[name] for name in names if name in known), None)


def lowered(account: pwd.struct_passwd | None) -> list[str]:
    """Words to put before a command so that it runs under the account, in the same process."""
    if account is None:
        return []
    setpriv = program("setpriv", package="util-linux")
    return [str(setpriv), f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]


def launch_guard(groups: Iterable[int], folder: Path | None) -> subprocess.Popen[bytes]:
    """A process that, once we are gone, kills these process groups and removes the folder.

    It reads from a pipe we never write to: however we end, the kernel closes our end of it.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(folder or ""), *(f"-{group}" for group in groups)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss_guard(guard: subprocess.Popen[bytes]) -> None:
    """End a guard whose servers have ended."""
    # First the guard, then its pipe: it must not kill a stranger that got the same number.
    guard.kill()
    guard.communicate()


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


def signal_family(pid: int, sent: signal.Signals) -> None:
    """Send a signal to a process and everything below it."""
    for each in (pid, *descendants(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, sent)


def wait_until_stopped(pid: int, seconds: float = 5.0) -> None:
    """Wait until every thread of a process and of everything below it stands still: SIGSTOP takes a moment."""
    ends = time.monotonic() + seconds
    while not all(map(_stands_still, (pid, *descendants(pid)))):
        if time.monotonic() > ends:
            raise TimeoutError(f"process {pid} goes on after SIGSTOP")
        time.sleep(0.005)


def _stands_still(pid: int) -> bool:
    try:
        states = [
            line.rpartition(")")[2].split()[0]
            for line in (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat"))
        ]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return all(state in "TtZX" for state in states)
