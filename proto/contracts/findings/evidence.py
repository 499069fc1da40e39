"""
Evidence register 佐证登记: what was handed in about a subject, kept as it came and named by its digest.

Records of a batch lie together in one blob, one after the other, each with its place in it: one file a batch, not
one a row. Every piece has a digest of its own, so whoever may see a subject reads its piece and nobody else's, and
can check it against the event. Events name what is here (register.py). Nothing is ever changed or deleted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Column, Connection, Index, MetaData, Row, String, Table, func, select, text
from sqlalchemy.orm import Session

from contracts.findings.values import Evidence
from kernel.access.principal import Principal
from kernel.errors import NotFound
from kernel.files.intake import Kept
from kernel.storage.blobs import BlobDamaged, Blobs, digest_of
from kernel.storage.setwise import write_rows
from kernel.storage.spine import guard_statements
from kernel.storage.types import BigInt, Moment
from kernel.storage.work import Work

JSON = "application/json"
MOST_NAMED = 30  # pieces an event names, the newest; the others stay and can be read
BLOB_BYTES = 8 * 1024 * 1024
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A record handed in 报送原件: its subject ("decisions/decisions/<id>"), its bytes, and what events call it."""

    subject: str
    content: bytes
    name: str  # what it is, never a person's name: it stands in events


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as it came."""

    content: bytes
    name: str
    media_type: str
    is_file: bool  # a file somebody added, not a record


@dataclass(frozen=True, slots=True)
class Listed:
    """A piece in the list of a subject: as events name it, its own file name, its size, who handed it in and when."""

    evidence: Evidence
    file: str
    size: int
    by: str
    at: datetime


class EvidenceRegister:
    """The register of one service, kept in its own database; the bytes are in its blobs."""

    def __init__(self, metadata: MetaData) -> None:
        self.table = Table(
            "evidence",
            metadata,
            Column("subject", String(200), primary_key=True),
            Column("digest", String(71), primary_key=True),
            Column("blob", String(71), nullable=False),
            Column("start", BigInt, nullable=False),
            Column("size", BigInt, nullable=False),
            Column("media_type", String(100), nullable=False),
            Column("name", String(200), nullable=False),
            Column("file", String(200), nullable=False),
            Column("unit", String(100), nullable=False),
            Column("handed_in_by", String(100), nullable=False),
            Column("recorded_at", Moment, nullable=False),
            comment="evidence 佐证: what was handed in, by digest and place in its blob; append-only",
        )
        is_file = text("file <> ''")
        Index("ix_evidence_files", self.table.c.unit, postgresql_where=is_file, sqlite_where=is_file)

    def keep(self, work: Work, blobs: Blobs, who: Principal, records: Iterable[HandedIn]) -> None:
        """Keep records with the transaction of `work`; the same record again changes nothing."""
        for batch in _blobfuls(records):
            blob = blobs.put(b"\n".join(record.content for record in batch))
            rows, start = [], 0
            for record in batch:
                digest, size = digest_of(record.content), len(record.content)
                named = evidence_of(record.subject, digest, JSON, record.name)
                rows.append(_row(work, who, record.subject, named) | _place(blob, start, size))
                start += size + 1
            self._write(work, rows)

    def keep_file(self, work: Work, who: Principal, subject: str, kept: Kept, name: str) -> Evidence:
        """Name a checked file (kernel.files) as evidence of a subject; events call it `name`."""
        named = evidence_of(subject, kept.digest, kept.media_type, name)
        row = _row(work, who, subject, named) | _place(kept.digest, 0, kept.size, kept.name)
        self._write(work, [row])
        return named

    def of(self, session: Session, subjects: Iterable[str]) -> dict[str, tuple[Evidence, ...]]:
        """What events about these subjects name: the newest pieces of each, newest first."""
        found: dict[str, list[Evidence]] = defaultdict(list)
        waiting = iter(subjects)
        columns = self.table.c
        while part := list(islice(waiting, _ASKED_AT_ONCE)):
            wanted = (
                select(columns.subject, columns.digest, columns.media_type, columns.name)
                .where(columns.subject.in_(part))
                .order_by(columns.subject, columns.recorded_at.desc(), columns.digest)
            )
            for row in session.execute(wanted):
                if len(found[row.subject]) < MOST_NAMED:
                    found[row.subject].append(evidence_of(row.subject, row.digest, row.media_type, row.name))
        return {subject: tuple(pieces) for subject, pieces in found.items()}

    def bytes_of_files(self, session: Session, unit: str) -> int:
        """How much a unit has added in files."""
        columns = self.table.c
        wanted = select(func.sum(columns.size)).where(columns.unit == unit, columns.file != "")
        return int(session.execute(wanted).scalar() or 0)

    def listed(self, session: Session, subject: str) -> list[Listed]:
        """Everything handed in about a subject, newest first; whoever asks must be allowed to see the subject."""
        columns = self.table.c
        wanted = select(self.table).where(columns.subject == subject).order_by(columns.recorded_at.desc())
        return [
            Listed(
                evidence_of(subject, row.digest, row.media_type, row.name),
                row.file,
                row.size,
                row.handed_in_by,
                row.recorded_at,
            )
            for row in session.execute(wanted)
        ]

    def read(self, session: Session, blobs: Blobs, subject: str, digest: str) -> Piece:
        """
        The piece of this subject with this digest (hex, with or without "sha256:"), its bytes hashed again.

        Whoever asks must be allowed to see the subject. Raises NotFound, BlobDamaged, Unavailable.
        """
        row = self._found(session, subject, f"sha256:{digest.removeprefix('sha256:')}")
        content = blobs.get(row.blob)[row.start : row.start + row.size]
        if digest_of(content) != row.digest:
            raise BlobDamaged()
        return Piece(content, row.file or row.name, row.media_type, bool(row.file))

    def _found(self, session: Session, subject: str, digest: str) -> Row[tuple[object, ...]]:
        wanted = select(self.table).where(self.table.c.subject == subject, self.table.c.digest == digest)
        row = session.execute(wanted).one_or_none()
        if row is None:
            raise NotFound("没有这份佐证材料，请核对摘要。", code="platform.unknown_evidence")
        return row

    def _write(self, work: Work, rows: Sequence[dict[str, object]]) -> None:
        write_rows(work.session, self.table, rows, keys=("subject", "digest"), on_conflict="nothing")


def evidence_of(subject: str, digest: str, media_type: str, name: str) -> Evidence:
    """A piece as events name it; its place is the path under which the service of the subject gives it out."""
    service, _, path = subject.partition("/")
    place = f"/api/{service}/v1/{path}/evidence/{digest.removeprefix('sha256:')}"
    return Evidence(digest=digest, media_type=media_type, name=name, place=place)


def create_evidence_v1(connection: Connection) -> None:
    """The register's table as of its first version, for migrations; it refuses UPDATE and DELETE."""
    metadata = MetaData()
    EvidenceRegister(metadata)
    metadata.create_all(connection, checkfirst=True)
    for statement in guard_statements(connection.dialect.name, "evidence"):
        connection.execute(text(statement))


def _row(work: Work, who: Principal, subject: str, named: Evidence) -> dict[str, object]:
    return {
        "subject": subject,
        "digest": named.digest,
        "media_type": named.media_type,
        "name": named.name,
        "unit": who.unit,
        "handed_in_by": who.account,
        "recorded_at": work.clock.now(),
    }


def _place(blob: str, start: int, size: int, file: str = "") -> dict[str, object]:
    return {"blob": blob, "start": start, "size": size, "file": file}


def _blobfuls(records: Iterable[HandedIn]) -> Iterator[list[HandedIn]]:
    """The records, as many together as one blob may hold."""
    batch: list[HandedIn] = []
    size = 0
    for record in records:
        if batch and size + len(record.content) > BLOB_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.content) + 1
    if batch:
        yield batch
