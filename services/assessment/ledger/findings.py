"""What verification hands back: faults that name their records, and what was covered."""

from dataclasses import dataclass, field
from pathlib import Path

import orjson

from contracts.findings.signatures import Signatures, Standing
from kernel.ledger.note import Note, NoteKey

SHOWN = 1_000  # faults kept one by one; beyond them only the number grows


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not what it was: a kind, the events it is about (first and last number), and words."""

    kind: str
    first: int
    last: int
    message: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed from outside: keys of the log, its witnesses and its sources, checkpoints somebody remembers."""

    origin: str
    log_keys: tuple[NoteKey, ...]
    witness_keys: tuple[NoteKey, ...] = ()
    remembered: tuple[Note, ...] = ()
    signatures: Signatures = field(default_factory=lambda: Signatures(lambda _source, _afresh: None))


@dataclass(frozen=True, slots=True)
class Verified:
    """Up to where everything was found good; the next run may go on from here."""

    size: int
    root: str
    sm3_root: str
    chain: str

    def keep(self, path: Path) -> None:
        """Write it to a file."""
        path.write_bytes(orjson.dumps({name: getattr(self, name) for name in self.__slots__}))

    @classmethod
    def read(cls, path: Path) -> "Verified":
        """Read it from a file; raises ValueError."""
        found = orjson.loads(path.read_bytes())
        try:
            return cls(int(found["size"]), found["root"], found["sm3_root"], found["chain"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no state of a verification") from error


@dataclass(slots=True)
class Report:
    """The result of one verification."""

    events: int = 0
    sealed: int = 0
    witnessed: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    evidence: int = 0
    remembered: int = 0
    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    verified: Verified | None = None

    def count(self, source: str, standing: Standing) -> None:
        """Note how it stands with the source's signature of one more event."""
        found = self.sources.setdefault(source, {})
        found[standing.value] = found.get(standing.value, 0) + 1

    def blame(self, kind: str, first: int, last: int, message: str) -> None:
        """Note a fault; one that follows the last of the same kind and words is joined to it."""
        self.fault_count += 1
        before = self.faults[-1] if self.faults else None
        if before and (before.kind, before.message, before.last + 1) == (kind, message, first):
            self.faults[-1] = Fault(kind, before.first, last, message)
        elif len(self.faults) < SHOWN:
            self.faults.append(Fault(kind, first, last, message))
