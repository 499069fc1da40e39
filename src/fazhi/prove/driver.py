"""The driver: sends acts to the sources and writes an id to its own file only after the 2xx."""

import threading
import time
from pathlib import Path

import httpx

THREADS_A_SOURCE = 4


class Driver:
    """Load on some sources, repeated with the same key until it is acknowledged."""

    def __init__(self, addresses: dict[str, str], acknowledged: Path, *, rate_a_source: float) -> None:
        self._addresses = addresses
        self._file = acknowledged.open("a", buffering=1)
        self._pause = THREADS_A_SOURCE / rate_a_source
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self.acknowledged = 0
        self.refused = 0
        self._threads = [
            threading.Thread(target=self._send, args=(name, address, lane))
            for name, address in addresses.items()
            for lane in range(THREADS_A_SOURCE)
        ]

    def start(self) -> None:
        """Start sending."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; what is in flight is finished or given up unacknowledged."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._file.close()

    def _send(self, name: str, address: str, lane: int) -> None:
        number = lane
        with httpx.Client(timeout=10) as client:
            while not self._stop.is_set():
                started = time.monotonic()
                key = f"{name}-{number}"
                if self._until_acknowledged(client, address, key):
                    with self._turn:
                        self._file.write(f"{key}\n")
                        self.acknowledged += 1
                number += THREADS_A_SOURCE
                self._stop.wait(max(0.0, self._pause - (time.monotonic() - started)))

    def _until_acknowledged(self, client: httpx.Client, address: str, key: str) -> bool:
        while not self._stop.is_set():
            try:
                if client.post(f"{address}/acts", json={"key": key}).status_code == 200:
                    return True
            except httpx.TransportError:
                pass
            with self._turn:
                self.refused += 1
            self._stop.wait(0.1)
        return False
