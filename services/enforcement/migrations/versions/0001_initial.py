"""Registers, cases, case files and leads."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Text, text

from contracts.findings.register import create_findings_v1
from contracts.units import create_units_v1
from kernel.storage.migrate import create_spine_v1
from kernel.storage.spine import guard_statements
from kernel.storage.types import Day, Id, Moment, one_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    create_spine_v1(connection)
    create_units_v1(connection)
    create_findings_v1(connection)
    _registers()
    _cases()
    _leads()
    for statement in guard_statements(connection.dialect.name, "case_versions"):
        connection.execute(text(statement))


def _registers() -> None:
    op.create_table(
        "bodies",
        Column("unit", String(100), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("credit_code", String(18), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("principal", String(100), nullable=False),
        Column("field", String(50), nullable=False),
        Column("region_code", String(12), nullable=False),
        Column("confirmed_on", Day),
        Column("valid_from", Day, nullable=False),
        Column("valid_to", Day),
        Column("mode", String(20), nullable=False),
        Column("loaded_at", Moment, nullable=False),
        comment="enforcement bodies 执法主体, one per unit",
    )
    op.create_index("ix_bodies_credit_code", "bodies", ["credit_code"])
    op.create_table(
        "officers",
        Column("code", String(100), primary_key=True),
        Column("name", String(100), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("loaded_at", Moment, nullable=False),
        comment="enforcement officers 执法人员 and auxiliary staff 辅助人员",
    )
    op.create_index("ix_officers_unit", "officers", ["unit", "code"])
    op.create_table(
        "certificates",
        Column("number", String(64), primary_key=True),
        Column("issuer", String(12), primary_key=True),
        Column("officer", String(100), nullable=False),
        Column("body", String(100), nullable=False),
        Column("field", String(50), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("valid_from", Day, nullable=False),
        Column("valid_to", Day, nullable=False),
        Column("status", String(20), nullable=False),
        Column("status_on", Day),
        Column("loaded_at", Moment, nullable=False),
        comment="enforcement certificates 执法证, the number unique per issuing province",
    )
    op.create_index("ix_certificates_officer", "certificates", ["officer"])
    op.create_table(
        "powers",
        Column("unit", String(100), primary_key=True),
        Column("code", String(64), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("field", String(50), nullable=False),
        Column("document", String(200), nullable=False),
        Column("article", String(50), nullable=False),
        Column("review", String(20), nullable=False),
        Column("loaded_at", Moment, nullable=False),
        comment="items of power and responsibility lists 权责清单事项, per body",
    )
    op.create_index("ix_powers_document", "powers", ["document"])


def _cases() -> None:
    op.create_table(
        "cases",
        Column("id", Id, primary_key=True),
        Column("unit", String(100), nullable=False),
        Column("kind", String(20), nullable=False),
        Column("number_key", String(128), nullable=False),
        Column("number", String(128), nullable=False),
        Column("decided_on", Day, nullable=False),
        Column("mode", String(20), nullable=False),
        Column("version", Integer, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("looked_version", Integer, nullable=False, server_default="0"),
        Column("look_on", Day),
        Column("entered_at", Moment, nullable=False),
        comment="enforcement cases 执法案件",
    )
    op.create_index("uq_cases_number", "cases", ["unit", "kind", "number_key"], unique=True)
    op.create_index("ix_cases_decided", "cases", ["unit", "decided_on", "id"])
    waiting = text("look_on IS NOT NULL")
    op.create_index(
        "ix_cases_look", "cases", ["look_on", "id"], postgresql_where=waiting, sqlite_where=waiting
    )
    op.create_table(
        "case_versions",
        Column("case_id", Id, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("record", Text, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("file", String(64), nullable=False),
        Column("entered_by", String(100), nullable=False),
        Column("reason", String(500), nullable=False, server_default=""),
        Column("entered_at", Moment, nullable=False),
        comment="what was said of a case, version by version; append-only",
    )
    op.create_table(
        "case_files",
        Column("digest", String(64), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("purpose", String(20), primary_key=True),
        Column("name", String(255), nullable=False),
        Column("state", String(20), nullable=False),
        Column("report", Text, nullable=False),
        Column("reason", String(500), nullable=False, server_default=""),
        Column("checked_by", String(100), nullable=False),
        Column("checked_at", Moment, nullable=False),
        Column("imported_by", String(100)),
        Column("imported_at", Moment),
        one_of("case_files", "state", "checked", "forgotten", "imported", "refused"),
        one_of("case_files", "purpose", "correction", "new"),
        comment="case files 案件文件: checked, refused or imported, with the report",
    )
    op.create_table(
        "case_file_parts",
        Column("digest", String(64), primary_key=True),
        Column("unit", String(100), primary_key=True),
        Column("purpose", String(20), primary_key=True),
        Column("part", Integer, primary_key=True),
        Column("body", LargeBinary, nullable=False),
        comment="read rows of a checked file, without personal numbers, until it is confirmed or forgotten",
    )


def _leads() -> None:
    op.create_table(
        "leads",
        Column("id", Id, primary_key=True),
        Column("system", String(50), nullable=False),
        Column("external_id", String(100), nullable=False),
        Column("kind", String(50), nullable=False),
        Column("unit", String(100), nullable=False),
        Column("region_code", String(12), nullable=False),
        Column("title", String(200), nullable=False),
        Column("content", Text, nullable=False),
        Column("pending_hint", Boolean, nullable=False),
        Column("state", String(20), nullable=False),
        Column("note", String(2000), nullable=False),
        Column("handler", String(100), nullable=False),
        Column("occurred_at", Moment),
        Column("due_at", Moment),
        Column("received_at", Moment, nullable=False),
        Column("changed_at", Moment, nullable=False),
        one_of("leads", "state", "accepted", "answered", "received", "returned"),
        comment="leads 监督线索 routed by the gateway; the id is the clue's receipt",
    )
    op.create_index("ix_leads_state", "leads", ["state", "received_at"])
    op.create_index("ix_leads_unit", "leads", ["unit"])
