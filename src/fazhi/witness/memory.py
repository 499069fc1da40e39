"""
Memory of a witness: the last checkpoint of every log it signed, and evidence of logs that told two stories.

A witness that forgot could be led into signing another history, so it refuses to start without its memory
(`--first` makes a new one, under a new key). What it is about to sign is on the disk before the signature leaves.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import orjson

from kernel.errors import Conflict, Invalid
from kernel.ledger.checkpoint import read_checkpoint
from kernel.ledger.note import Note, NoteKey, read_note
from kernel.storage.types import time_text

MARKER = "witness.json"
LOCK = "lock"
EVIDENCE = "evidence"
_BEGUN = {EVIDENCE, "witness.new"}  # what a first start that was cut short may leave behind


class Memory:
    """The folder of one witness."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, origin: str) -> Note | None:
        """The last checkpoint of a log that was signed, None for a log never seen; raises Invalid when damaged."""
        path = self._place(origin)
        if not path.exists():
            return None
        note = read_note(path.read_text())
        if read_checkpoint(note.text).origin != origin:
            raise Invalid(f"{path} 不是 {origin} 的检查点，见证状态已损坏。", code="witness.state_damaged")
        return note

    def keep(self, origin: str, note: Note) -> None:
        """Remember a checkpoint; on the disk when this returns."""
        _write(self._place(origin), str(note).encode())

    def keep_evidence(self, kind: str, at: datetime, notes: Mapping[str, Note]) -> Path:
        """Keep what shows that a log told two stories; the same evidence is kept once."""
        content = orjson.dumps(
            {"kind": kind, "at": time_text(at)} | {name: str(note) for name, note in notes.items()}
        )
        what = "".join(note.text for note in notes.values()).encode()
        path = self._folder / EVIDENCE / f"{kind}-{hashlib.sha256(what).hexdigest()[:32]}.json"
        if not path.exists():
            _write(path, content)
        return path

    def evidence(self) -> list[str]:
        """The names of the pieces of evidence."""
        return sorted(path.name for path in (self._folder / EVIDENCE).glob("*.json"))

    def _place(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint"


@contextmanager
def open_memory(folder: Path, key: NoteKey, *, first: bool, now: datetime) -> Iterator[Memory]:
    """
    The memory in a folder, for one process at a time.

    Raises Invalid where there is none and it is not said to be the first start, or one is there and it is, or it
    belongs to another key; Conflict where another process has it.
    """
    if first:
        _begin(folder, key, now)
    marker = folder / MARKER
    if not marker.exists():
        raise Invalid(
            f"{folder} 中没有见证状态。状态丢失的见证方必须停用并更换密钥；确是首次启动才加 --first。",
            code="witness.no_state",
        )
    if orjson.loads(marker.read_bytes()).get("key") != str(key):
        raise Invalid(f"{folder} 的见证状态属于另一把密钥。", code="witness.other_key")
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"{folder} 正被另一个见证进程使用。", code="witness.in_use") from error
        yield Memory(folder)


def has_memory(folder: Path) -> bool:
    """Whether a witness began here; a first start that was cut short leaves nothing to be remembered."""
    return (folder / MARKER).exists()


def remembered(place: Path) -> list[Note]:
    """Every checkpoint in a witness's folder, or the one in a file; raises NoteMalformed, OSError, Invalid."""
    if place.is_file():
        return [read_note(place.read_text())]
    if not (place / MARKER).exists():
        raise Invalid(f"{place} 不是见证方的状态目录。", code="witness.no_state")
    return [read_note(path.read_text()) for path in sorted(place.glob("*.checkpoint"))]


def _begin(folder: Path, key: NoteKey, now: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(path.name not in _BEGUN for path in folder.iterdir()) or any((folder / EVIDENCE).glob("*")):
        raise Invalid(
            f"{folder} 不是空的：已有状态的见证方不得以 --first 启动。", code="witness.state_exists"
        )
    (folder / EVIDENCE).mkdir(exist_ok=True)
    _write(folder / MARKER, orjson.dumps({"key": str(key), "begun_at": time_text(now)}))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and not lost with the power."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
