"""Witnesses that really listen, each with a folder and a key of its own."""

import threading
from contextlib import contextmanager

from fazhi.witness.judgement import Judge
from fazhi.witness.memory import open_memory
from fazhi.witness.server import WitnessServer
from kernel.access.tokens import make_key
from kernel.clock import SystemClock
from kernel.ledger.note import NoteSigner


class RunningWitness:
    """One witness, at a free port."""

    def __init__(self, server, signer, state):
        self.server = server
        self.key = signer.witness_key
        self.state = state
        self.url = f"http://127.0.0.1:{server.server_port}"

    @property
    def setting(self):
        return f"{self.key} {self.url}"


@contextmanager
def running_witness(folder, name, *log_keys, first=True, port=0):
    """A witness in this folder for these logs."""
    folder.mkdir(parents=True, exist_ok=True)
    make_key(folder / "key.pem")
    signer = NoteSigner.read(name, folder / "key.pem")
    logs = {}
    for key in log_keys:
        logs.setdefault(key.name, []).append(key)
    clock = SystemClock()
    with open_memory(folder / "state", signer.witness_key, first=first, now=clock.now()) as memory:
        server = WitnessServer(("127.0.0.1", port), Judge(memory, signer, logs, clock), memory, tuple(logs))
        runner = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        runner.start()
        try:
            yield RunningWitness(server, signer, folder / "state")
        finally:
            server.shutdown()
            runner.join()
            server.server_close()
