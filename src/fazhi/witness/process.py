"""The process of a witness: memory, key and door put together; runs until told to stop."""

import signal
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from fazhi.witness.judgement import Judge
from fazhi.witness.memory import open_memory
from fazhi.witness.server import WitnessServer
from kernel.access.files import is_open_key
from kernel.access.tokens import make_key
from kernel.clock import Clock, SystemClock
from kernel.errors import Invalid
from kernel.ledger.note import ED25519, NoteKey, NoteSigner, read_key
from kernel.telemetry.log import logger

log = logger(__name__)


def serve(
    state: Path, key_file: Path, name: str, log_keys: Sequence[str], address: tuple[str, int], *, first: bool
) -> None:
    """Serve until SIGTERM or SIGINT; what is being signed is finished."""
    signer = _signer(key_file, name, first=first)
    logs = _logs(log_keys)
    clock: Clock = SystemClock()
    with open_memory(state, signer.witness_key, first=first, now=clock.now()) as memory:
        judge = Judge(memory, signer, logs, clock)
        with WitnessServer(address, judge, memory, tuple(logs)) as server:
            # The one line other institutions need: they put it into FAZHI_LEDGER_WITNESSES.
            print(f"{signer.witness_key} http://{address[0]}:{server.server_port}", flush=True)  # noqa: T201
            log.info("witness_started", name=name, logs=sorted(logs), port=server.server_port)
            for taken in (signal.SIGINT, signal.SIGTERM):
                signal.signal(taken, lambda *_: threading.Thread(target=server.shutdown).start())
            server.serve_forever(poll_interval=0.2)


def _signer(path: Path, name: str, *, first: bool) -> NoteSigner:
    if not path.exists():
        if not first:
            raise Invalid(f"没有私钥 {path}；首次启动（--first）才会生成。", code="witness.no_key")
        make_key(path)
    if is_open_key(path):
        raise Invalid(f"{path} 他人可读，请执行 chmod 600。", code="witness.open_key")
    return NoteSigner.read(name, path)


def _logs(written: Sequence[str]) -> dict[str, list[NoteKey]]:
    """Keys by the log they sign for; a log of several keys is one whose key was changed."""
    found: defaultdict[str, list[NoteKey]] = defaultdict(list)
    for one in written:
        key = read_key(one)
        if key.kind != ED25519:
            raise Invalid(f"“{one[:60]}”不是账本的公钥。", code="witness.log_key")
        found[key.name].append(key)
    return dict(found)
