"""
Papers 佐证材料: the evidence of one kind of subject as people handle it.

Whoever may see a subject reads what was handed in about it; whoever deals with it adds files. Who that is, the
service says with two functions on its own rows. The routes are in doors.py.
"""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import BinaryIO, Protocol

from sqlalchemy.orm import Session

from contracts.findings.evidence import EvidenceRegister, Listed, Piece
from contracts.findings.values import Evidence
from kernel.access.principal import Principal
from kernel.errors import Invalid, NotFound, Problem, RuleViolation
from kernel.files.intake import checked
from kernel.storage.blobs import Blobs
from kernel.storage.work import Store

QUOTA_BYTES = 20 * 1024**3  # a unit's files in one service


class QuotaUsedUp(RuleViolation):
    """A unit has added as many bytes as one unit may (R45)."""

    code = "files.quota_used_up"
    message = f"本单位上传的材料已达 {QUOTA_BYTES // 1024**3} GB 的上限，请联系系统管理员。"


class Sees(Protocol):
    """Raises NotFound when the caller may not see a subject; returns whether its files, too, are for the caller."""

    def __call__(self, session: Session, who: Principal, subject: str) -> bool: ...


class Papers:
    """Reads and adds evidence of subjects "<kind>/<id>"; `titles` name the kinds of material that may be added."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        register: EvidenceRegister,
        *,
        kind: str,
        sees: Sees,
        adds: Callable[[Session, Principal, str], None],
        titles: Mapping[str, str],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._register = register
        self._kind = kind
        self._sees = sees
        self._adds = adds
        self._titles = titles

    def listed(self, who: Principal, subject: str) -> list[Listed]:
        """What was handed in about a subject and is for the caller, newest first. Raises NotFound."""
        with self._store.reading() as session:
            with_files = self._sees(session, who, subject)
            pieces = self._register.listed(session, f"{self._kind}/{subject}")
        return [piece for piece in pieces if with_files or not piece.file]

    def read(self, who: Principal, subject: str, digest: str) -> Piece:
        """One piece as it came. Raises NotFound, BlobDamaged, Unavailable."""
        with self._store.reading() as session:
            with_files = self._sees(session, who, subject)
            piece = self._register.read(session, self._blobs, f"{self._kind}/{subject}", digest)
        if piece.is_file and not with_files:
            raise NotFound("没有这份佐证材料，请核对摘要。", code="platform.unknown_evidence")
        return piece

    def add(self, who: Principal, subject: str, stream: BinaryIO, *, name: str, material: str) -> Evidence:
        """
        Check a file and keep it as evidence of a subject; events call it by its kind of material, not by its own name.

        Raises NotFound, QuotaUsedUp, Invalid (codes "files.…"), TooLarge, Unavailable.
        """
        if material not in self._titles:
            known = "、".join(self._titles)
            raise Invalid(
                problems=[Problem("material", "platform.unknown_material", f"材料种类应为：{known}。")]
            )
        with self._store.reading() as session:  # before the parse: a stranger costs nothing
            self._adds(session, who, subject)
            if self._register.bytes_of_files(session, who.unit) >= QUOTA_BYTES:
                raise QuotaUsedUp()
        kept = checked(stream, name, self._blobs)
        title = self._titles[material] + PurePath(kept.name).suffix.lower()
        with self._store.work() as work:
            self._adds(work.session, who, subject)
            added = self._register.keep_file(work, who, f"{self._kind}/{subject}", kept, title)
            path = self._kind.partition("/")[2]
            work.audit(who, "evidence.added", f"{path}/{subject}", after_digest=kept.digest[7:])
            work.commit()
        return added
