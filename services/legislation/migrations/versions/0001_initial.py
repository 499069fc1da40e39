"""The law library, citations with their counts, and the register of normative documents."""

from alembic import op
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Text, UniqueConstraint, text

from contracts.findings.register import create_findings_v1
from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.types import Day, Id, Moment, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    create_findings_v1(connection)
    _library()
    _usage()
    _register()


def _library() -> None:
    op.create_table(
        "documents",
        Column("id", Id, primary_key=True),
        Column("title", String(200), nullable=False),
        Column("title_key", String(200), nullable=False, unique=True),
        Column("kind", String(50), nullable=False),
        Column("repealed_on", Day),
        Column("created_at", Moment, nullable=False),
    )
    op.create_index("ix_documents_kind", "documents", ["kind"])
    op.create_table(
        "document_versions",
        Column("id", Id, primary_key=True),
        Column("document_id", Id, ForeignKey("documents.id"), nullable=False),
        Column("version", String(10), nullable=False),
        Column("version_on", Day),
        Column("issuing_body", String(200), nullable=False),
        Column("number", String(200), nullable=False),
        Column("passed_on", Day),
        Column("promulgated_on", Day),
        Column("effective_on", Day),
        Column("effect_assumed", Boolean, nullable=False),
        Column("status", String(20), nullable=False),
        Column("articles", Integer, nullable=False),
        Column("notes", Text, nullable=False),
        Column("content_sha256", String(64), nullable=False),
        Column("imported_at", Moment, nullable=False),
        Column("indexed_at", Moment),
        UniqueConstraint("document_id", "version"),
        one_of("document_versions", "status", "", "amended", "in_force", "not_yet", "reference", "repealed"),
    )
    op.create_index("ix_versions_unindexed", "document_versions", ["indexed_at"])
    op.create_index("ix_document_versions_status", "document_versions", ["status"])
    op.create_table(
        "articles",
        Column("id", Id, primary_key=True),
        Column("version_id", Id, ForeignKey("document_versions.id"), nullable=False),
        Column("place", Integer, nullable=False),
        Column("key", String(20), nullable=False),
        Column("number", Integer, nullable=False),
        Column("label", String(100), nullable=False),
        Column("chapter", String(300), nullable=False),
        Column("text", Text, nullable=False),
        UniqueConstraint("version_id", "key"),
    )
    op.create_table(
        "repeals",
        Column("version_id", Id, ForeignKey("document_versions.id"), primary_key=True),
        Column("title_key", String(200), primary_key=True),
    )
    op.create_index("ix_repeals_title_key", "repeals", ["title_key"])
    op.create_table(
        "imported_files",
        Column("sha256", String(64), primary_key=True),
        Column("name", String(500), nullable=False),
        Column("version_id", Id, ForeignKey("document_versions.id"), nullable=False),
        Column("imported_at", Moment, nullable=False),
    )


def _usage() -> None:
    op.create_table(
        "citations",
        Column("id", Id, primary_key=True),
        Column("source", String(50), nullable=False),
        Column("subject", String(200), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("document", String(300), nullable=False),
        Column("version", String(50), nullable=False),
        Column("article", String(100), nullable=False),
        Column("title_key", String(300), nullable=False),
        Column("cited_on", Day, nullable=False),
        Column("state", String(20), nullable=False),
        Column("document_id", Id, nullable=False),
        Column("version_id", Id, nullable=False),
        Column("article_key", String(20), nullable=False),
        Column("received_at", Moment, nullable=False),
        one_of("citations", "state", "article", "document", "unknown"),
    )
    unknown = text("state = 'unknown'")
    op.create_index(
        "ix_citations_unknown", "citations", ["title_key"], postgresql_where=unknown, sqlite_where=unknown
    )
    op.create_table(
        "usage_counts",
        Column("document_id", Id, primary_key=True),
        Column("version_id", Id, primary_key=True),
        Column("article_key", String(20), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("month", String(7), primary_key=True),
        Column("citations", Integer, nullable=False),
    )
    op.create_index("ix_usage_counts_month", "usage_counts", ["month", "unit"])


def _register() -> None:
    op.create_table(
        "normative_documents",
        Column("id", Id, primary_key=True),
        Column("unit", String(100), nullable=False),
        Column("number", String(100), nullable=False),
        Column("title", String(200), nullable=False),
        Column("title_key", String(200), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("comment_opened_on", Day),
        Column("comment_closed_on", Day),
        Column("reviewed_on", Day),
        Column("review_result", String(30), nullable=False),
        Column("deliberated_on", Day),
        Column("signed_on", Day, nullable=False),
        Column("registration", String(100), nullable=False),
        Column("published_on", Day),
        Column("effective_on", Day),
        Column("filed_on", Day),
        Column("file_by", Day),
        Column("expires_on", Day),
        Column("repealed_on", Day),
        Column("used_on", Day),
        Column("next_look_on", Day),
        Column("mode", Integer, nullable=False),
        Column("version", Integer, nullable=False),
        Column("recorded_at", Moment, nullable=False),
        Column("changed_at", Moment, nullable=False),
        UniqueConstraint("unit", "number"),
    )
    op.create_index("ix_normative_documents_next_look", "normative_documents", ["next_look_on"])
    op.create_index("ix_normative_documents_title", "normative_documents", ["title_key"])


def downgrade() -> None:
    """The first version has nothing to go back to."""
    raise NotImplementedError
