"""
Looking at cases 认定: facts of many cases gathered in a few statements, probes applied, what is new told.

A case is looked at when it enters, when it is corrected, and on the day after a period ends that was running;
each time the register of findings tells only what changed. Rows are taken with SKIP LOCKED, so that the API
process and several workers never look at the same case at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from pathlib import PurePath
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from contracts.citations.v1.citations_pb2 import Citation
from contracts.citations.wire import tell_citations
from contracts.findings import Evidence, Mode
from contracts.findings.register import Found
from kernel.clock import local_date
from kernel.ids import derived_id
from kernel.storage.work import Work
from services.enforcement.cases.model import CASES, FILES, VERSIONS
from services.enforcement.cases.rules.basis import Cited, parse_bases
from services.enforcement.cases.rules.record import CaseRecord
from services.enforcement.law import KnownDocument, Law
from services.enforcement.probes import look, next_look
from services.enforcement.probes.facts import CaseFacts
from services.enforcement.registry.lookup import Registers, cited_in_lists, look_up
from services.enforcement.tables import FINDINGS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CURRENT = select(CASES, VERSIONS.c.record, VERSIONS.c.file).join(
    VERSIONS, (VERSIONS.c.case_id == CASES.c.id) & (VERSIONS.c.version == CASES.c.version)
)


def subject_of(case: str) -> str:
    """How others name a case."""
    return f"enforcement/cases/{case}"


def mode_of(facts: CaseFacts) -> Mode:
    """
    How the facts reached us 接入模式. It bounds credibility, so a file cannot claim to be 实时 by itself: only a
    body that is registered as connected in real time is believed.
    """
    if facts.case.mode == "reported":
        return Mode.REPORTED
    connected = facts.body is not None and facts.body.mode == "real_time"
    return Mode.REAL_TIME if facts.case.mode == "real_time" and connected else Mode.ENTERED


def look_at_waiting(work: Work, law: Law, limit: int) -> int:
    """Look at up to `limit` cases whose day has come; returns how many there were."""
    today = local_date(work.clock.now())
    waiting = (
        select(CASES.c.id)
        .where(CASES.c.look_on <= today)
        .order_by(CASES.c.look_on, CASES.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = work.session.execute(waiting).scalars().all()
    if not taken:
        return 0
    rows = work.session.execute(CURRENT.where(CASES.c.id.in_(taken))).all()
    every = [(row, facts) for row, facts in zip(rows, facts_of(work.session, law, rows, today), strict=True)]
    evidence = _evidence(work.session, {row.file for row in rows})
    FINDINGS.record(
        work,
        (
            Found(subject_of(row.id), row.unit, mode_of(facts), replace(finding, evidence=evidence[row.file]))
            for row, facts in every
            for finding in look(facts)
        ),
    )
    tell_citations(
        work,
        (
            citation
            for row, facts in every
            if row.looked_version != row.version
            for citation in _citations(row, facts.cited)
        ),
    )
    changed = update(CASES).where(CASES.c.id == bindparam("case_id"))
    work.session.connection().execute(
        changed.values(look_on=bindparam("next_on"), looked_version=bindparam("seen")),
        [{"case_id": row.id, "next_on": next_look(facts), "seen": row.version} for row, facts in every],
    )
    return len(rows)


def _evidence(session: Session, files: Collection[str]) -> dict[str, tuple[Evidence, ...]]:
    """The file that a case came in, as evidence 佐证; its bytes are kept under this digest."""
    names = select(FILES.c.digest, FILES.c.name).where(FILES.c.digest.in_(files))
    return dict.fromkeys(files, ()) | {
        row.digest: (
            Evidence(
                digest=f"sha256:{row.digest}",
                media_type=media_type_of(row.name),
                name=f"执法案件数据表{PurePath(row.name).suffix.lower()}",  # its own name may name a person
                place=f"/api/enforcement/v1/case-files/{row.digest}/content",
            ),
        )
        for row in session.execute(names)
    }


def media_type_of(name: str) -> str:
    """The media type of a case file, by its name; only two kinds are taken in."""
    return XLSX if name.lower().endswith(".xlsx") else "text/csv"


def facts_of(session: Session, law: Law, rows: Sequence[Any], today: date) -> list[CaseFacts]:
    """The facts of these cases (rows of `CURRENT`), in their order."""
    records = [CaseRecord.restored(row.record) for row in rows]
    cited = [parse_bases(record.basis) for record in records]
    registers = look_up(
        session,
        (row.unit for row in rows),
        (number for record in records for number in record.officer_certificates),
        (record.power_item for record in records if record.power_item),
    )
    titles = {each.document for bases in cited for each in bases}
    documents = {title: law.documents[title] for title in titles & law.documents.keys()}
    for title in cited_in_lists(session, titles - documents.keys()):
        documents[title] = KnownDocument(title, 0, None)
    return [
        _facts(law, registers, unit=row.unit, record=record, cited=bases, documents=documents, today=today)
        for row, record, bases in zip(rows, records, cited, strict=True)
    ]


def _facts(
    law: Law,
    registers: Registers,
    *,
    unit: str,
    record: CaseRecord,
    cited: tuple[Cited, ...],
    documents: dict[str, KnownDocument],
    today: date,
) -> CaseFacts:
    day = record.decided_on
    body = registers.body(unit, day)
    owners = [unit, body.principal] if body is not None and body.principal else [unit]
    row = registers.bodies.get(unit)
    province = (row.region_code if row is not None else unit)[:2]
    return CaseFacts(
        case=record,
        law=law,
        today=today,
        field=registers.field(unit),
        body=body,
        certificates=tuple(
            registers.certificate(number, province, day) for number in record.officer_certificates
        ),
        power=registers.power(owners, record.power_item),
        has_power_list=any(owner in registers.with_list for owner in owners),
        cited=cited,
        documents=documents,
        can_look_up=bool(law.documents),
    )


def _citations(row: Any, cited: Sequence[Cited]) -> list[Citation]:
    """The same case citing the same article on the same day is the same citation, however often it is told."""
    subject, day = subject_of(row.id), row.decided_on.isoformat()
    return [
        Citation(
            id=derived_id("citation", subject, row.unit, each.document, each.article, day),
            source="enforcement",
            subject=subject,
            unit=row.unit,
            document=each.document,
            article=each.article,
            cited_on=day,
        )
        for each in cited
    ]
