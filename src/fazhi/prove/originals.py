"""
What events rest on 佐证原件, and how an attacker changes it: documents, records that share a blob, originals of clues.

Blobs are files beside the database; the register of records and the sealed originals are tables, which here lie in
the database of the ledger, so that every copy of it has everything. Whoever alters one changes bytes, takes them away,
or exchanges two: nothing in the ledger changes, and only the digest in the leaf knows. An attacker with the vault's
own key may even seal another text in an original's place.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from contracts.events.v1.scored_pb2 import ScoredEvent
from contracts.findings.evidence import HandedIn, create_evidence_v1
from contracts.roles import REPORTER
from fazhi.prove.attacks import DISABLED
from gateway.app import build as build_gateway
from gateway.clues.model import ClueOriginal
from gateway.clues.originals import subject_of
from kernel.access.principal import Principal
from kernel.hosting.runtime import Runtime
from kernel.ids import derived_id
from kernel.settings import Settings
from kernel.storage.blobs import digest_of
from services.decisions.tables import EVIDENCE, SPINE

A_DOCUMENT_IN, SHARED_BY = 50, 200
OF_A_KIND, TOGETHER = 5, 2  # records or clues; how many records share the first blob
CLERK = Principal(account="jia", unit="150102-001", unit_path="/15/150102/", roles=frozenset({REPORTER}))


@dataclass(slots=True)
class Originals:
    """Where everything is: digest -> the number of the first event that names it, by kind."""

    folder: Path
    documents: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    clues: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    seal: Callable[[str, bytes], bytes] = lambda _purpose, plain: plain

    def file(self, digest: str) -> Path:
        """The file of a document."""
        plain = digest.removeprefix("sha256:")
        return self.folder / "blobs" / "enforcement" / "sha256" / plain[:2] / plain[2:4] / plain


def name_documents(folder: Path, history: Sequence[ScoredEvent]) -> Originals:
    """Let events of a history rest on something; what can be a file is one from now on."""
    runtime, found = Runtime(Settings(data=folder)), Originals(folder)
    blobs = runtime.blobs("enforcement")
    for number, event in enumerate(history):
        if number % A_DOCUMENT_IN == 0:
            content = f"行政处罚决定书 第 {number // SHARED_BY} 号\n".encode() * 20
            digest = blobs.put(content)
            found.documents.setdefault(digest, number + 1)
            event.evidence.add(digest=digest, media_type="text/plain", name="决定书.txt", place=event.subject)
    others = _alone(history)
    for number, (place, event) in zip(range(OF_A_KIND), others, strict=False):
        digest = digest_of(_record(number))
        event.source, event.subject = "decisions", f"decisions/decisions/{number}"
        event.evidence.add(
            digest=digest, media_type="application/json", name="登记.json", place=event.subject
        )
        found.records[digest] = place
    for number, (place, event) in zip(range(OF_A_KIND), others, strict=False):
        receipt = derived_id("prove/clue", str(number))
        digest = digest_of(_clue(number))
        event.source, event.subject = "gateway", subject_of(receipt)
        event.evidence.add(
            digest=digest, media_type="application/json", name="线索原文.json", place=event.subject
        )
        found.clues[digest], found.receipts[digest] = place, receipt
    runtime.close()
    return found


def lay(found: Originals, url: str, clock: Any) -> None:
    """Put records and clues where their services keep them, in the database at this URL."""
    runtime = Runtime(Settings(data=found.folder, database_url=url, database_pool=0), clock)
    gateway = build_gateway(runtime)
    found.seal = gateway.originals._vault.seal  # noqa: SLF001  (the attacker has stolen it)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(DISABLED)  # a clue's own row is no part of this
        create_evidence_v1(connection)
        for name in ("clues", "clue_originals"):
            ClueOriginal.metadata.tables[name].create(connection)
    with runtime.store("decisions", SPINE).work() as work:
        for numbers in (range(TOGETHER), range(TOGETHER, OF_A_KIND)):
            handed_in = (HandedIn(f"decisions/decisions/{n}", _record(n), "登记") for n in numbers)
            EVIDENCE.keep(work, runtime.blobs("decisions"), CLERK, handed_in)
        work.commit()
    with Session(engine) as session:
        session.execute(DISABLED)
        for number, (digest, receipt) in enumerate(found.receipts.items()):
            sealed = found.seal(f"clue/{receipt}", _clue(number))
            row = ClueOriginal(receipt=receipt, sealed=sealed, raw_digest=digest.removeprefix("sha256:"))
            session.add(row)
        session.commit()
    runtime.close()


# ---- attacks: each on pieces of its own, so that all stand side by side and each must be named ----------------------

Named = tuple[int, ...]
Attack = Callable[[Originals, Session], Named]


@contextmanager
def put_back(found: Originals) -> Iterator[None]:
    """Every file is what it was afterwards."""
    blobs, aside = found.folder / "blobs", found.folder / "blobs-aside"
    shutil.copytree(blobs, aside)
    try:
        yield
    finally:
        shutil.rmtree(blobs)
        aside.rename(blobs)


def document_replaced(found: Originals, session: Session | None = None) -> Named:
    """The bytes of a document are others now."""
    del session
    (digest, seq), *_ = found.documents.items()
    path = found.file(digest)
    path.write_bytes(path.read_bytes().replace(b"0", b"2") + b"\n")
    return (seq,)


def document_removed(found: Originals, session: Session) -> Named:
    """A document is gone."""
    del session
    digest, seq = list(found.documents.items())[1]
    found.file(digest).unlink()
    return (seq,)


def documents_swapped(found: Originals, session: Session) -> Named:
    """Two documents exchange their names."""
    del session
    (first, one), (second, other) = list(found.documents.items())[2:4]
    kept = found.file(first).read_bytes()
    found.file(first).write_bytes(found.file(second).read_bytes())
    found.file(second).write_bytes(kept)
    return one, other


def record_altered(found: Originals, session: Session) -> Named:
    """A word of a record in a blob that several share, its length the same: none of them can be read from it now."""
    del session
    for path in (found.folder / "blobs" / "decisions").rglob("*"):
        if path.is_file() and _record(0) in path.read_bytes():
            path.write_bytes(path.read_bytes().replace("通过".encode(), "否决".encode(), 1))
    return tuple(found.records.values())[:TOGETHER]


def record_moved(found: Originals, session: Session) -> Named:
    """The register says that a record lies where another does."""
    (first, seq), (second, _) = list(found.records.items())[TOGETHER : TOGETHER + 2]
    _run(
        session,
        "UPDATE evidence SET start = (SELECT o.start FROM evidence o WHERE o.digest = :other), "
        "size = (SELECT o.size FROM evidence o WHERE o.digest = :other) WHERE digest = :digest",
        digest=first,
        other=second,
    )
    return (seq,)


def record_removed(found: Originals, session: Session) -> Named:
    """The register knows of one record less."""
    digest, seq = list(found.records.items())[-1]
    _run(session, "DELETE FROM evidence WHERE digest = :digest", digest=digest)
    return (seq,)


def original_altered(found: Originals, session: Session) -> Named:
    """One bit of a sealed original."""
    digest, *_ = found.clues
    sealed = bytearray(_sealed(session, found, digest))
    sealed[-1] ^= 1
    return _resealed(session, found, digest, bytes(sealed))


def original_removed(found: Originals, session: Session) -> Named:
    """The original of a clue is gone."""
    digest = list(found.clues)[1]
    _run(session, "DELETE FROM clue_originals WHERE receipt = :receipt", receipt=found.receipts[digest])
    return (found.clues[digest],)


def originals_swapped(found: Originals, session: Session) -> Named:
    """Two clues exchange their originals, as they are."""
    first, second = list(found.clues)[2:4]
    kept = _sealed(session, found, first), _sealed(session, found, second)
    return _resealed(session, found, second, kept[0]) + _resealed(session, found, first, kept[1])


def original_sealed_anew(found: Originals, session: Session) -> Named:
    """Another text, sealed with the vault's own key, stolen."""
    digest = list(found.clues)[4]
    return _resealed(session, found, digest, found.seal(f"clue/{found.receipts[digest]}", "另一份".encode()))


ATTACKS: Mapping[str, Attack] = {
    "a document replaced": document_replaced,
    "a document removed": document_removed,
    "two documents swapped": documents_swapped,
    "a record altered": record_altered,
    "a record moved": record_moved,
    "a record removed": record_removed,
    "a clue's original altered": original_altered,
    "a clue's original removed": original_removed,
    "two clues' originals swapped": originals_swapped,
    "a clue's original sealed anew": original_sealed_anew,
}


def _alone(history: Sequence[ScoredEvent]) -> Iterator[tuple[int, ScoredEvent]]:
    """Events without a document that correct none and are corrected by none, with their numbers."""
    corrected = {event.corrects for event in history}
    for number, event in enumerate(history, start=1):
        if not event.evidence and not event.corrects and event.id not in corrected:
            yield number, event


def _record(number: int) -> bytes:
    return f'{{"title":"重大行政决策 {number}","result":"通过"}}'.encode()


def _clue(number: int) -> bytes:
    return f'{{"title":"线索 {number}","content":"反映执法检查过多"}}'.encode()


def _sealed(session: Session, found: Originals, digest: str) -> bytes:
    wanted = text("SELECT sealed FROM clue_originals WHERE receipt = :receipt")
    return bytes(session.execute(wanted, {"receipt": found.receipts[digest]}).scalar_one())


def _resealed(session: Session, found: Originals, digest: str, sealed: bytes) -> Named:
    _run(
        session,
        "UPDATE clue_originals SET sealed = :sealed WHERE receipt = :receipt",
        sealed=sealed,
        receipt=found.receipts[digest],
    )
    return (found.clues[digest],)


def _run(session: Session, statement: str, **values: Any) -> None:
    session.execute(text(statement), values)
