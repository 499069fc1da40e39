"""A witness put together: memory, key and door; as a process of its own, or beside a demonstration."""

import signal
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fazhi.witness.judgement import Judge
from fazhi.witness.memory import open_memory
from fazhi.witness.server import WitnessServer
from kernel.access.files import is_open_key
from kernel.access.tokens import make_key
from kernel.clock import SystemClock
from kernel.errors import Invalid
from kernel.ledger.note import ED25519, NoteKey, NoteSigner, read_key
from kernel.telemetry.log import logger

log = logger(__name__)


def serve(
    state: Path, key_file: Path, name: str, log_keys: Sequence[str], address: tuple[str, int], *, first: bool
) -> None:
    """Serve until SIGTERM or SIGINT; what is being signed is finished."""
    told = threading.Event()
    for taken in (signal.SIGINT, signal.SIGTERM):
        signal.signal(taken, lambda *_: told.set())
    keys = [read_key(one) for one in log_keys]
    with running(state, key_file, name, keys, address, first=first) as setting:
        # The one line other institutions need: they put it into FAZHI_LEDGER_WITNESSES.
        print(setting, flush=True)  # noqa: T201
        log.info("witness_started", name=name, logs=sorted({key.name for key in keys}))
        told.wait()


@contextmanager
def running(
    state: Path,
    key_file: Path,
    name: str,
    log_keys: Sequence[NoteKey],
    address: tuple[str, int],
    *,
    first: bool,
) -> Iterator[str]:
    """
    A witness that answers while the block lasts; gives "key address", the form of FAZHI_LEDGER_WITNESSES.

    Raises Invalid for keys that are none of logs or can be read by others, and what `open_memory` raises.
    """
    signer = _signer(key_file, name, first=first)
    logs: defaultdict[str, list[NoteKey]] = defaultdict(list)  # several of one log: its key was changed
    for key in log_keys:
        if key.kind != ED25519:
            raise Invalid(f"“{key}”不是账本的公钥。", code="witness.log_key")
        logs[key.name].append(key)
    clock = SystemClock()
    with open_memory(state, signer.witness_key, first=first, now=clock.now()) as memory:
        server = WitnessServer(address, Judge(memory, signer, dict(logs), clock), memory, tuple(logs))
        runner = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="witness")
        runner.start()
        try:
            yield f"{signer.witness_key} http://{address[0]}:{server.server_port}"
        finally:
            server.shutdown()
            runner.join()
            server.server_close()


def _signer(path: Path, name: str, *, first: bool) -> NoteSigner:
    if not path.exists():
        if not first:
            raise Invalid(f"没有私钥 {path}；首次启动（--first）才会生成。", code="witness.no_key")
        make_key(path)
    if is_open_key(path):
        raise Invalid(f"{path} 他人可读，请执行 chmod 600。", code="witness.open_key")
    return NoteSigner.read(name, path)
