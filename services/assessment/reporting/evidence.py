"""
Evidence of self-reports 佐证材料: files, checked in quarantine and kept by digest, and business objects by name.

Nothing is asked for twice: a file handed in for one result may be named in another, and what a service already
knows of the unit is offered from the event log by the name of its business object.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.errors import NotFound, Problem, TooLarge
from kernel.files.intake import Kept, checked
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.reporting.model import REPORT_FILES
from services.assessment.reporting.records import Head
from services.assessment.reporting.rules import EvidenceItem, Limits

MOST_OBJECTS = 50


@dataclass(frozen=True, slots=True)
class KnownObject:
    """A business object that the log knows of a unit."""

    subject: str
    probe: str
    title: str
    outcome: str
    occurred_at: str


class EvidenceFiles:
    """Files and objects that reports of one installation rest on."""

    def __init__(self, store: Store, blobs: Blobs, limits: Limits) -> None:
        self._store = store
        self._blobs = blobs
        self._limits = limits

    def add(self, who: Principal, head: Head, stream: BinaryIO, name: str) -> Kept:
        """Check and keep a file for a report of the caller's unit. Raises Invalid, TooLarge, Unavailable."""
        self._check_quota(head)
        kept = checked(stream, name, self._blobs)

        def note(work: Work) -> Kept:
            row = {
                "unit": head["unit"],
                "digest": kept.digest,
                "year": head["period"][:4],
                "name": kept.name,
                "media_type": kept.media_type,
                "size": kept.size,
                "uploaded_by": who.account,
                "uploaded_at": work.clock.now(),
            }
            write_rows(
                work.session, REPORT_FILES, [row], keys=("unit", "digest", "year"), on_conflict="nothing"
            )
            work.audit(
                who,
                "report.file_added",
                f"reports/{head['id']}",
                after_digest=kept.digest.removeprefix("sha256:"),
            )
            return kept

        return self._store.transact(note)

    def keep(self, content: bytes) -> str:
        """Keep bytes that the platform made itself; returns their digest. Raises Unavailable."""
        return self._blobs.put(content)

    def content(self, item: EvidenceItem) -> bytes:
        """The bytes of a file, hashed again. Raises NotFound, BlobDamaged, Unavailable."""
        return self._blobs.get(item.reference)

    def _check_quota(self, head: Head) -> None:
        used = select(func.coalesce(func.sum(REPORT_FILES.c.size), 0)).where(
            REPORT_FILES.c.unit == head["unit"], REPORT_FILES.c.year == head["period"][:4]
        )
        with self._store.reading() as session:
            if session.execute(used).scalar_one() >= self._limits.quota_bytes:
                raise TooLarge(
                    f"本单位本年度上传的材料已达 {self._limits.quota_bytes // 1024 // 1024} MB，请引用已有材料或业务对象。",
                    code="assessment.evidence_quota",
                )


def check_evidence(session: Session, head: Head, items: Sequence[EvidenceItem]) -> list[Problem]:
    """What is named as evidence and is not there for this unit."""
    files = {item.reference for item in items if item.kind == "file"}
    known = set(
        session.scalars(
            select(REPORT_FILES.c.digest).where(
                REPORT_FILES.c.unit == head["unit"], REPORT_FILES.c.digest.in_(files)
            )
        )
    )
    problems = []
    for index, item in enumerate(items):
        found = item.reference in known if item.kind == "file" else _is_known(session, head, item.reference)
        if not found:
            message = (
                "没有这份材料，请重新上传。"
                if item.kind == "file"
                else "平台没有本单位的这个业务对象，请从候选中选择。"
            )
            problems.append(Problem(f"evidence.{index}", "assessment.unknown_evidence", message))
    return problems


def named(session: Session, head: Head, items: Sequence[EvidenceItem]) -> tuple[EvidenceItem, ...]:
    """The same items with the names and kinds of their files, as the platform knows them, not as a client says."""
    wanted = select(REPORT_FILES).where(
        REPORT_FILES.c.unit == head["unit"], REPORT_FILES.c.digest.in_([item.reference for item in items])
    )
    files = {row.digest: row for row in session.execute(wanted)}
    return tuple(
        replace(item, name=files[item.reference].name, media_type=files[item.reference].media_type)
        if item.reference in files
        else replace(item, name=item.reference)
        for item in items
    )


def file_of_unit(session: Session, head: Head, digest: str) -> EvidenceItem:
    """A file that the unit handed in. Raises NotFound."""
    wanted = select(REPORT_FILES).where(REPORT_FILES.c.unit == head["unit"], REPORT_FILES.c.digest == digest)
    row = session.execute(wanted.limit(1)).one_or_none()
    if row is None:
        raise _no_such_file()
    return EvidenceItem("file", row.digest, row.name, row.media_type)


def file_among(items: Sequence[EvidenceItem], digest: str) -> EvidenceItem:
    """The file of this digest among the evidence of a version. Raises NotFound."""
    found = next((item for item in items if item.kind == "file" and item.reference == digest), None)
    if found is None:
        raise _no_such_file()
    return found


def known_objects(
    session: Session, head: Head, titles: dict[str, str], *, search: str = ""
) -> list[KnownObject]:
    """Business objects of the unit in the year of the report, newest first; `search` is part of their name."""
    rows = session.execute(
        text(
            "SELECT leaf FROM event_log WHERE unit = :unit AND period >= :start AND period <= :end "
            "AND source <> 'assessment' AND leaf LIKE :search ESCAPE '!' ORDER BY seq DESC LIMIT 2000"
        ),
        {**_year(head), "search": f'%"subject":"%{_escaped(search)}%"%'},
    )
    found: dict[str, KnownObject] = {}
    for row in rows:
        leaf: dict[str, Any] = orjson.loads(row.leaf)
        if search in leaf["subject"] and leaf["subject"] not in found:
            title = titles.get(leaf["probe"], leaf["probe"])
            found[leaf["subject"]] = KnownObject(
                leaf["subject"], leaf["probe"], title, leaf["outcome"], leaf["occurred_at"]
            )
        if len(found) == MOST_OBJECTS:
            break
    return list(found.values())


def _no_such_file() -> NotFound:
    return NotFound("没有这份材料，或不在您的查看范围内。", code="assessment.unknown_file")


def _is_known(session: Session, head: Head, subject: str) -> bool:
    wanted = text(
        "SELECT 1 FROM event_log WHERE unit = :unit AND period >= :start AND period <= :end "
        "AND leaf LIKE :subject ESCAPE '!' LIMIT 1"
    )
    values = {**_year(head), "subject": f'%"subject":"{_escaped(subject)}"%'}
    return session.execute(wanted, values).first() is not None


def _year(head: Head) -> dict[str, str]:
    year = head["period"][:4]
    return {"unit": head["unit"], "start": f"{year}-01", "end": f"{year}-12"}


def _escaped(text_: str) -> str:
    return text_.replace("!", "!!").replace("%", "!%").replace("_", "!_")
