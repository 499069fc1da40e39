"""Bundles 数据包 under proof: what an attacked database would publish, and what the independent verifier says to it."""

# ruff: noqa: SLF001  (what a publication is made of is asked of the product itself)
import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fazhi.prove.history import GROUP
from kernel.ids import new_id
from kernel.ledger.note import Note, NoteSigner
from services.assessment.ledger.stored import newest_checkpoint
from services.assessment.publication import bundle
from services.assessment.ranking.intervals import intervals_of
from services.assessment.scoring.roll_up import key_of

VERIFIER = Path(__file__).resolve().parents[3] / "verifier" / "fazhi_verify.py"
YEAR, UPTO = "2026", "2026-12"
PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Known:
    """What somebody outside has: public keys, and the checkpoints that witnesses remember."""

    log: str
    publisher: str
    witnesses: tuple[str, ...]
    needed: int
    remembered: tuple[Path, ...]
    blobs: Path
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Exit code of a verifier, and its words."""

    code: int
    said: str


def publish_anew(app: Any, signer: NoteSigner, folder: Path) -> None:
    """
    A bundle made from nothing but this database, signed with the publisher's own key.

    Nobody who attacks can do better: every file and the manifest agree, so only the log itself can give it away.
    """
    publications = app.publications
    with app.store.reading() as session:
        last = newest_checkpoint(session)
        assert last is not None
        framework = app.frameworks.in_force(int(YEAR))
        board = publications.board(session, framework, GROUP, YEAR, UPTO, last.size)
        ranges = intervals_of(board, publications._parameters)
        files = bundle.files(session, board, ranges, last)
        about: dict[str, Any] = {
            "id": new_id(),
            "period": YEAR,
            "upto": UPTO,
            "peer_group": GROUP,
            "at_seq": last.size,
            "intervals": ranges.method,
        }
        about |= {"framework": key_of(framework), "origin": app.ledger.origin, "replaces": None}
        written = bundle.manifest(about, files, bundle.event_lines(session, last.size))
        said = bundle.statement(written, about["id"])
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        with (folder / bundle.EVENTS).open("wb") as file:
            file.writelines(bundle.event_lines(session, last.size))
    _sign(folder, written, said, signer)


def _interval_widened(line: dict[str, Any]) -> None:
    line["interval"][1] += 1


def _tier_changed(line: dict[str, Any]) -> None:
    line["tier"] += 1


TOLD_OTHERWISE: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "an interval widened": _interval_widened,
    "a tier changed": _tier_changed,
}


def tell_otherwise(folder: Path, signer: NoteSigner, change: Callable[[dict[str, Any]], None]) -> str:
    """One line of a published ranking altered, and all signed anew with the publisher's own key; gives whose line."""
    lines = [orjson.loads(line) for line in (folder / "scores.jsonl").read_bytes().splitlines()]
    line = next(line for line in lines if line["rank"] is not None)
    change(line)
    content = b"".join(orjson.dumps(one, option=orjson.OPT_SORT_KEYS) + b"\n" for one in lines)
    (folder / "scores.jsonl").write_bytes(content)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["scores.jsonl"] = hashlib.sha256(content).hexdigest()
    written = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    _sign(folder, written, bundle.statement(written, manifest["id"]), signer)
    return str(line["unit"])


def _sign(folder: Path, manifest: bytes, statement: str, signer: NoteSigner) -> None:
    (folder / "manifest.json").write_bytes(manifest)
    note = Note(statement, (signer.sign(statement),))
    (folder / "publication.note").write_text(str(note), encoding="utf-8")


def judged(folder: Path, known: Known) -> Verdict:
    """The verdict of the verifier that shares no code with us, in a process that sees none of it."""
    command: list[str | Path] = [sys.executable, "-I", VERIFIER, folder, "--key", known.log]
    command += ["--publisher", known.publisher, "--witnesses", str(known.needed), "--blobs", known.blobs]
    command += _each("--source", known.sources) + _each("--witness", known.witnesses)
    command += _each("--remembered", known.remembered)
    done = subprocess.run(  # noqa: S603  (our own programme)
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    return Verdict(done.returncode, (done.stderr or done.stdout).strip())


def _each(option: str, values: Sequence[str | Path]) -> list[str | Path]:
    return [word for value in values for word in (option, value)]
