"""Witnesses that really listen, each with a folder and a key of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fazhi.witness.memory import EVIDENCE
from fazhi.witness.process import running
from kernel.ledger.note import NoteKey, read_key


@dataclass(frozen=True)
class RunningWitness:
    """One witness: what goes into the settings, and where it remembers."""

    setting: str
    state: Path

    @property
    def key(self) -> NoteKey:
        return read_key(self.setting.partition(" ")[0])

    @property
    def url(self) -> str:
        return self.setting.partition(" ")[2]

    @property
    def evidence(self) -> list[Path]:
        return sorted((self.state / EVIDENCE).glob("*.json"))


@contextmanager
def running_witness(
    folder: Path, name: str, *log_keys: NoteKey, first: bool = True, port: int = 0
) -> Iterator[RunningWitness]:
    """A witness in this folder for these logs."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    with running(state, folder / "key.pem", name, log_keys, ("127.0.0.1", port), first=first) as setting:
        yield RunningWitness(setting, state)
