"""Library over HTTP: resolve a basis, list documents, read a version, upload texts."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import BaseModel

from contracts.roles import EVERYONE_SIGNED_IN, REVIEWER, SYSTEM_ADMIN
from kernel.access.rules import allow
from kernel.errors import Invalid, TooLarge
from kernel.hosting.api import Caller
from services.legislation.documents.intake import FileOutcome, Intake, SourceFile
from services.legislation.documents.model import DocumentVersion, LegalDocument, StoredArticle
from services.legislation.documents.rules import MOST_BYTES, Collection, read_kind
from services.legislation.documents.service import Library, notes_of
from services.legislation.shapes import DocumentName, Line, read_kinds
from services.legislation.usage.service import Usage

MOST_FILES = 200


class BasisView(BaseModel):
    """A resolved basis; `text` is the article, or the paragraph when one was cited."""

    document: DocumentName
    version: str
    status: str
    article: str
    text: str
    chapter: str
    citations: int
    kind: str
    issuing_body: str
    number: str
    effective_on: date | None
    effect_assumed: bool
    repealed_on: date | None


class VersionView(BaseModel):
    """One dated version of a document."""

    version: str
    status: str
    issuing_body: str
    number: str
    passed_on: date | None
    promulgated_on: date | None
    effective_on: date | None
    effect_assumed: bool
    articles: int
    notes: list[str]


class DocumentView(BaseModel):
    """A document in a list, with its youngest version."""

    id: str
    title: str
    kind: str
    kind_title: str
    repealed_on: date | None
    versions: int
    youngest: VersionView


class DocumentPage(BaseModel):
    """A page of documents."""

    total: int
    rows: list[DocumentView]


class ArticleTextView(BaseModel):
    """One article of a version read in full."""

    article: str
    chapter: str
    text: str


class WholeDocument(BaseModel):
    """A document with its versions, and the articles of the one asked for."""

    id: str
    title: str
    kind: str
    repealed_on: date | None
    versions: list[VersionView]
    version: str
    articles: list[ArticleTextView]


class FileView(BaseModel):
    """What became of one uploaded file."""

    name: str
    outcome: str
    code: str
    reason: str
    title: str
    version: str
    articles: int
    notes: list[str]


class ImportView(BaseModel):
    """Every file of one upload, with totals."""

    imported: int
    unchanged: int
    refused: int
    files: list[FileView]


def router(library: Library, usage: Usage) -> APIRouter:
    """Routes that read the library."""
    router = APIRouter(tags=["documents"])

    @router.get("/basis")
    @allow(*EVERYONE_SIGNED_IN)
    def basis(
        document: Annotated[Line, Query(max_length=300)],
        article: Annotated[Line, Query(max_length=100)],
        version: Annotated[Line, Query(max_length=10)] = "",
        on: date | None = None,
    ) -> BasisView:
        """The article that a basis names; without a version, of the one in force `on` that day (today)."""
        found = library.basis(document, version, article, on)
        return BasisView(
            document=DocumentName(id=found.document.id, title=found.document.title),
            version=found.version.version,
            status=found.status.value,
            article=found.article.label,
            text=found.text,
            chapter=found.article.chapter,
            citations=usage.citations(found.version.id, found.article.key),
            kind=found.document.kind,
            issuing_body=found.version.issuing_body,
            number=found.version.number,
            effective_on=found.version.effective_on,
            effect_assumed=found.version.effect_assumed,
            repealed_on=found.document.repealed_on,
        )

    @router.get("/documents")
    @allow(*EVERYONE_SIGNED_IN)
    def documents(
        title: Annotated[Line, Query(max_length=300)] = "",
        kind: Annotated[Line, Query(max_length=200)] = "",
        offset: int = 0,
        limit: int = 50,
    ) -> DocumentPage:
        """Documents by title and kind."""
        total, rows = library.documents(title, read_kinds(kind), offset=offset, limit=limit)
        return DocumentPage(
            total=total, rows=[_document_view(row.document, row.youngest, row.versions) for row in rows]
        )

    @router.get("/documents/{document}")
    @allow(*EVERYONE_SIGNED_IN)
    def document(document: Line, version: Annotated[Line, Query(max_length=10)] = "") -> WholeDocument:
        """One document by id or title, with the text of one version (the youngest unless said)."""
        found, versions = library.document(document)
        chosen = next((one for one in versions if not version or one.version == version), None)
        if chosen is None:
            raise Invalid("没有这个版本，请从版本列表中选择。", code="legislation.unknown_version")
        return WholeDocument(
            id=found.id,
            title=found.title,
            kind=found.kind,
            repealed_on=found.repealed_on,
            versions=[_version_view(one) for one in versions],
            version=chosen.version,
            articles=[_article_view(article) for article in library.text(chosen.id)],
        )

    return router


def intake_router(intake: Intake) -> APIRouter:
    """Route by which texts are uploaded."""
    router = APIRouter(prefix="/imports", tags=["documents"])

    @router.post("", status_code=201)
    @allow(REVIEWER, SYSTEM_ADMIN)
    def upload(
        who: Caller,
        files: Annotated[list[UploadFile], File()],
        kind: Annotated[Line, Form(max_length=50)] = "",
        issuing_body: Annotated[Line, Form(max_length=200)] = "",
    ) -> ImportView:
        """Take in texts; each file is in the library afterwards or listed with the reason."""
        if len(files) > MOST_FILES:
            raise TooLarge(
                f"一次最多上传 {MOST_FILES} 个文件，请分批上传。", code="legislation.too_many_files"
            )
        chosen = read_kind(kind) if kind else None
        if kind and chosen is None:
            raise Invalid("不认识的文件种类，请从列表中选择。", code="legislation.unknown_kind")
        sources = [SourceFile(file.filename or "", file.file.read(MOST_BYTES + 1)) for file in files]
        collection = Collection(kind=chosen, issuing_body=issuing_body) if chosen or issuing_body else None
        report = intake.import_files(who, sources, collection=collection)
        return ImportView(
            imported=report.count("imported"),
            unchanged=report.count("unchanged"),
            refused=report.count("refused"),
            files=[_file_view(file) for file in report.files],
        )

    return router


def _document_view(document: LegalDocument, youngest: DocumentVersion, versions: int) -> DocumentView:
    kind = read_kind(document.kind)
    return DocumentView(
        id=document.id,
        title=document.title,
        kind=document.kind,
        kind_title=kind.term if kind else document.kind,
        repealed_on=document.repealed_on,
        versions=versions,
        youngest=_version_view(youngest),
    )


def _version_view(version: DocumentVersion) -> VersionView:
    return VersionView(
        version=version.version,
        status=version.status,
        issuing_body=version.issuing_body,
        number=version.number,
        passed_on=version.passed_on,
        promulgated_on=version.promulgated_on,
        effective_on=version.effective_on,
        effect_assumed=version.effect_assumed,
        articles=version.articles,
        notes=notes_of(version),
    )


def _article_view(article: StoredArticle) -> ArticleTextView:
    return ArticleTextView(article=article.label, chapter=article.chapter, text=article.text)


def _file_view(file: FileOutcome) -> FileView:
    return FileView(
        name=file.name,
        outcome=file.outcome,
        code=file.code,
        reason=file.reason,
        title=file.title,
        version=file.version,
        articles=file.articles,
        notes=list(file.notes),
    )
