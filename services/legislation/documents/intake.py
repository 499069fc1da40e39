"""
Intake 入库: files become documents, versions and articles; every file is in the library or listed with the reason.

Files are taken in batches, one transaction each, with one statement a table. The same file is recognised by its
digest and the same text by its content, so importing a folder again changes nothing. A text that differs from
the stored text of the same version is refused: somebody must look, because decisions may already cite it.

Statuses follow from all versions together and are computed when files came in and every day (`refresh_statuses`).
The search index is not touched here; search/service.py brings it up to date.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select

from kernel.access.principal import Principal
from kernel.clock import local_date
from kernel.errors import Invalid
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.legislation.documents.folders import Collections
from services.legislation.documents.model import (
    DocumentVersion,
    ImportedFile,
    LegalDocument,
    Repeal,
    StoredArticle,
    article_id,
    document_id,
    version_id,
)
from services.legislation.documents.rules import (
    MOST_BYTES,
    SUFFIXES,
    Collection,
    LawText,
    parse_law,
    read_text,
    title_key,
)
from services.legislation.documents.statuses import refresh_statuses
from services.legislation.tables import table_of
from services.legislation.usage.recount import NewVersion, wait_again

BATCH = 40
_KIND_DIFFERS = ("legislation.kind_differs", "库中已有同名文件，但文件种类不同，请核对种类后再导入。")
_VERSION_DIFFERS = (
    "legislation.version_differs",
    "该版本在库中已有不同的文本，请核对两份文本；如为新版本，请在文件名中注明日期。",
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it came: its path inside the collection, and its bytes."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """
    What became of one file: "imported", "unchanged" or "refused" (with a stable code and a Chinese reason).

    `articles` counts numbered articles; `notes` say what looked odd and was accepted.
    """

    name: str
    outcome: str
    code: str = ""
    reason: str = ""
    document: str = ""
    title: str = ""
    version: str = ""
    articles: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every file of one import, in order."""

    files: tuple[FileOutcome, ...]

    def count(self, outcome: str) -> int:
        """How many files ended so."""
        return sum(file.outcome == outcome for file in self.files)


@dataclass(slots=True)
class _Taken:
    """A file on its way: first its digest, then its text, at last its outcome."""

    file: SourceFile
    collection: Collection
    digest: str
    law: LawText | None = None
    outcome: FileOutcome | None = None


class Intake:
    """Takes legal texts into the library."""

    def __init__(self, store: Store, collections: Collections) -> None:
        self._store = store
        self._collections = collections

    def import_folder(self, who: Principal, folder: Path, progress: Progress | None = None) -> ImportReport:
        """Take in every file below a folder; files that are no texts are listed too. Raises `Invalid` if absent."""
        if not folder.is_dir():
            raise Invalid(f"找不到文件夹 {folder}，请核对路径。", code="legislation.no_folder")
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        if not paths:
            raise Invalid(f"文件夹 {folder} 中没有文件，请核对路径。", code="legislation.empty_folder")
        files = (_read(folder, path) for path in paths)
        return self.import_files(who, files, total=len(paths), progress=progress)

    def import_files(
        self,
        who: Principal,
        files: Iterable[SourceFile],
        *,
        collection: Collection | None = None,
        total: int = 0,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Take in files; `collection` says what their names do not. One audit record a batch."""
        done: list[FileOutcome] = []
        waiting = iter(files)
        while batch := list(islice(waiting, BATCH)):
            done.extend(self._import_batch(who, batch, collection))
            if progress:
                progress(len(done), total)
        self.refresh_statuses()
        return ImportReport(tuple(done))

    def refresh_statuses(self) -> int:
        """Compute every status for today; returns how many versions changed theirs."""
        return self._store.transact(lambda work: refresh_statuses(work, local_date(work.clock.now())))

    def _import_batch(
        self, who: Principal, files: Sequence[SourceFile], collection: Collection | None
    ) -> list[FileOutcome]:
        batch = [_taken(file, collection or self._collections.of(file.name)) for file in files]

        def act(work: Work) -> None:
            fresh = [replace(taken) for taken in batch]
            _recognise(work, fresh)
            for taken in fresh:
                if taken.outcome is None:
                    _parse(taken)
            _keep(work, fresh)
            imported = [taken for taken in fresh if taken.outcome and taken.outcome.outcome == "imported"]
            if imported:
                digest = hashlib.sha256("".join(taken.digest for taken in imported).encode()).hexdigest()
                work.audit(who, "legislation.texts_imported", f"{len(imported)} 份文件", after_digest=digest)
            batch[:] = fresh

        self._store.transact(act)
        return [taken.outcome for taken in batch if taken.outcome is not None]


def _storable(name: str) -> str:
    """A file's name as text: what no database can keep, or is in another encoding, becomes a question mark."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", name.encode("utf-8", "replace").decode())


def _taken(file: SourceFile, collection: Collection) -> _Taken:
    """A file with its digest: of its bytes and of what else decides the outcome, its own name and its collection."""
    file = SourceFile(_storable(file.name), file.raw)
    hasher = hashlib.sha256(b"legislation/file/v1\n")
    for part in (PurePosixPath(file.name).name, collection.kind or "", collection.issuing_body):
        hasher.update(part.encode() + b"\n")
    hasher.update(file.raw)
    return _Taken(file, collection, hasher.hexdigest())


def _parse(taken: _Taken) -> None:
    name = taken.file.name
    try:
        text, _ = read_text(name, taken.file.raw)
        taken.law = parse_law(name, text, taken.collection)
    except Invalid as refused:
        taken.outcome = _refused(taken, refused.stable_code, refused.text)


def _read(folder: Path, path: Path) -> SourceFile:
    """A file below a folder, named with the folder's own name; of an oversize file only enough to refuse it."""
    name = (Path(folder.resolve().name) / path.relative_to(folder)).as_posix()
    if not name.lower().endswith(SUFFIXES):
        return SourceFile(name, b"")
    with path.open("rb") as opened:
        return SourceFile(name, opened.read(MOST_BYTES + 1))


def _recognise(work: Work, batch: Sequence[_Taken]) -> None:
    """Mark files whose very bytes were taken in before."""
    known = {
        row.sha256: row
        for row in work.session.execute(
            select(
                ImportedFile.sha256,
                LegalDocument.id,
                LegalDocument.title,
                DocumentVersion.version,
                DocumentVersion.articles,
            )
            .join(DocumentVersion, DocumentVersion.id == ImportedFile.version_id)
            .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
            .where(ImportedFile.sha256.in_([taken.digest for taken in batch]))
        )
    }
    for taken in batch:
        row = known.get(taken.digest)
        if row is not None:
            taken.outcome = FileOutcome(
                name=taken.file.name,
                outcome="unchanged",
                document=row.id,
                title=row.title,
                version=row.version,
                articles=row.articles,
            )


def _keep(work: Work, batch: Sequence[_Taken]) -> None:
    """Write what is new, refuse what contradicts the library or an earlier file of the batch."""
    kinds, contents = _known(work, [taken.law for taken in batch if taken.law])
    known = frozenset(kinds)
    fresh: list[LawText] = []
    files: dict[str, dict[str, Any]] = {}
    now = work.clock.now()
    for taken in batch:
        law = taken.law
        if law is None:
            continue
        version = _version_of(law)
        content = contents.setdefault(version, "") or law.content_sha256
        if kinds.setdefault(document_id(law.title_key), law.kind.value) != law.kind.value:
            taken.outcome = _refused(taken, *_KIND_DIFFERS)
        elif content != law.content_sha256:
            taken.outcome = _refused(taken, *_VERSION_DIFFERS)
        else:
            taken.outcome = _accepted(taken, law, "unchanged" if contents[version] else "imported")
            if not contents[version]:
                contents[version] = law.content_sha256
                fresh.append(law)
            name = taken.file.name[-500:]
            files[taken.digest] = {
                "sha256": taken.digest,
                "name": name,
                "version_id": version,
                "imported_at": now,
            }
    _write(work, fresh)
    wait_again(
        work,
        (
            NewVersion(document_id(law.title_key), law.title_key, law.version, law.effect.on)
            for law in fresh
            if law.effect is not None and document_id(law.title_key) in known
        ),
    )
    write_rows(work.session, table_of(ImportedFile), list(files.values()), on_conflict="nothing")


def _known(work: Work, laws: Sequence[LawText]) -> tuple[dict[str, str], dict[str, str]]:
    """Kinds by document and content digests by version, of what the library has already."""
    documents = {document_id(law.title_key) for law in laws}
    versions = {_version_of(law) for law in laws}
    kinds = select(LegalDocument.id, LegalDocument.kind).where(LegalDocument.id.in_(documents))
    contents = select(DocumentVersion.id, DocumentVersion.content_sha256).where(
        DocumentVersion.id.in_(versions)
    )
    return (
        {row.id: row.kind for row in work.session.execute(kinds)},
        {row.id: row.content_sha256 for row in work.session.execute(contents)},
    )


def _version_of(law: LawText) -> str:
    return version_id(document_id(law.title_key), law.version)


def _write(work: Work, laws: Sequence[LawText]) -> None:
    now = work.clock.now()
    documents = {
        law.title_key: {
            "id": document_id(law.title_key),
            "title": law.title,
            "title_key": law.title_key,
            "kind": law.kind.value,
            "created_at": now,
        }
        for law in laws
    }
    session = work.session
    write_rows(session, table_of(LegalDocument), list(documents.values()), on_conflict="nothing")
    write_rows(session, table_of(DocumentVersion), [_version_row(law, now) for law in laws])
    write_rows(session, table_of(StoredArticle), [row for law in laws for row in _article_rows(law)])
    write_rows(
        session,
        table_of(Repeal),
        [
            {"version_id": _version_of(law), "title_key": title_key(title)}
            for law in laws
            for title in law.repeals
        ],
        on_conflict="nothing",
    )


def _version_row(law: LawText, now: datetime) -> dict[str, Any]:
    return {
        "id": _version_of(law),
        "document_id": document_id(law.title_key),
        "version": law.version,
        "version_on": law.version_on,
        "issuing_body": law.issuing_body[:200],
        "number": law.number[:200],
        "passed_on": law.passed_on,
        "promulgated_on": law.promulgated_on,
        "effective_on": law.effect.on if law.effect else None,
        "effect_assumed": law.effect.assumed if law.effect else False,
        "status": "",
        "articles": law.numbered_articles,
        "notes": json.dumps(law.notes, ensure_ascii=False),
        "content_sha256": law.content_sha256,
        "imported_at": now,
    }


def _article_rows(law: LawText) -> Iterator[dict[str, Any]]:
    version = _version_of(law)
    for place, article in enumerate(law.articles):
        yield {
            "id": article_id(version, article.key),
            "version_id": version,
            "place": place,
            "key": article.key,
            "number": article.ref.number if article.ref else 0,
            "label": article.label[:100],
            "chapter": article.chapter[:300],
            "text": article.text,
        }


def _accepted(taken: _Taken, law: LawText, outcome: str) -> FileOutcome:
    return FileOutcome(
        name=taken.file.name,
        outcome=outcome,
        document=document_id(law.title_key),
        title=law.title,
        version=law.version,
        articles=law.numbered_articles,
        notes=law.notes,
    )


def _refused(taken: _Taken, code: str, reason: str) -> FileOutcome:
    return FileOutcome(name=taken.file.name, outcome="refused", code=code, reason=reason)
