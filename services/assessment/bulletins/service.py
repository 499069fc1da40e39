"""
Bulletins are made from what was published, never from what is known now: the same publication, the same figures.

PDF and DOCX are kept by digest, so that what was sent out can be compared with what is held here.
"""

import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Table, func, insert, select
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from kernel.clock import local_date, start_of_day
from kernel.errors import NotFound
from kernel.ids import is_id, new_id
from kernel.ledger.checkpoint import read_checkpoint
from kernel.ledger.note import read_note
from kernel.storage.blobs import Blobs
from kernel.storage.reach import beyond
from kernel.storage.work import Store
from services.assessment.bulletins import document, typeset, workbook
from services.assessment.bulletins.model import BULLETINS
from services.assessment.bulletins.rules import (
    Bulletin,
    Kind,
    Line,
    Supervision,
    line_of,
    moved,
    period_words,
    weakest,
)
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.objections.model import OBJECTIONS
from services.assessment.publication.service import Publication, Publications
from services.assessment.ranking.known import end_of
from services.assessment.ranking.service import peer_group
from services.assessment.rectification.model import ORDERS
from services.assessment.warnings.model import WARNINGS


@dataclass(frozen=True, slots=True)
class Kept:
    """A bulletin that was made; `pdf` and `docx` are digests."""

    id: str
    publication: str
    kind: Kind
    title: str
    pdf: str
    docx: str
    account: str
    made_at: datetime


class Bulletins:
    """Makes and hands out bulletins, reports and the data behind a ranking."""

    def __init__(
        self, store: Store, frameworks: Frameworks, publications: Publications, blobs: Blobs
    ) -> None:
        self._store = store
        self._frameworks = frameworks
        self._publications = publications
        self._blobs = blobs

    def make(self, who: Principal, publication: str, kind: Kind) -> Kept:
        """Make a bulletin from a publication. Raises NotFound, NoChineseFont, Unavailable."""
        found = self._publications.one(publication)
        bulletin = self._bulletin(found, kind)
        pdf = self._blobs.put(typeset.pdf(bulletin))
        docx = self._blobs.put(document.docx(bulletin, typeset.chart(bulletin)))
        with self._store.work() as work:
            kept = Kept(new_id(), found.id, kind, bulletin.title, pdf, docx, who.account, work.clock.now())
            work.session.execute(
                insert(BULLETINS).values({name: getattr(kept, name) for name in Kept.__slots__})
            )
            work.audit(who, "bulletin.made", f"bulletins/{kept.id}", after_digest=pdf[-64:])
            work.commit()
        return kept

    def every(self, as_of: date | None = None) -> list[Kept]:
        """Bulletins, newest first; those made until the end of a day, or all."""
        query = select(BULLETINS).order_by(BULLETINS.c.made_at.desc()).limit(200)
        at = end_of(self._store.clock, as_of)
        if at is not None:
            query = query.where(BULLETINS.c.made_at <= at)
        with self._store.reading() as session:
            return [_kept(row) for row in session.execute(query)]

    def file(self, bulletin: str, form: str) -> tuple[bytes, str]:
        """The PDF or DOCX of a bulletin, and its name. Raises NotFound."""
        with self._store.reading() as session:
            query = select(BULLETINS).where(BULLETINS.c.id == bulletin)
            row = session.execute(query).one_or_none() if is_id(bulletin) else None
        if row is None or form not in ("pdf", "docx"):
            raise NotFound("没有这份通报，请从列表中选择。", code="assessment.unknown_bulletin")
        kept = _kept(row)
        return self._blobs.get(kept.pdf if form == "pdf" else kept.docx), f"{kept.title}.{form}"

    def data(self, who: Principal, publication: str) -> Path:
        """A workbook of everything behind a published ranking, in a temporary file the caller removes."""
        self._publications.demand_whole(who)
        found = self._publications.one(publication)
        with self._store.reading() as session:
            board = self._publications.board(
                session, self._framework(found), found.peer_group, found.period, found.upto, found.at_seq
            )
        with tempfile.NamedTemporaryFile(prefix="fazhi-data-", suffix=".xlsx", delete=False) as file:
            path = Path(file.name)
        today = local_date(self._store.clock.now())
        workbook.write(board, path, f"{who.account} {today} 下载，公布编号 {found.id}")
        with self._store.work() as work:
            work.audit(who, "publication.data_taken", f"publications/{found.id}")
            work.commit()
        return path

    def _bulletin(self, found: Publication, kind: Kind) -> Bulletin:
        framework = self._framework(found)
        lines = self._lines(found)
        former = self._publications.before(found)
        before = self._lines(former) if former else ()
        group = peer_group(framework, found.peer_group)
        words = period_words(found.period, found.upto)
        with (
            self._store.reading() as session,
            beyond("a bulletin counts the matters of all units it was published about", session),
        ):
            supervision = _supervision(session, found, [line.unit for line in lines])
        return Bulletin(
            kind=kind,
            title=f"{words}{group.title}法治政府建设考核{'通报' if kind == 'monthly' else '报告'}",
            period_words=words,
            group_title=group.title,
            framework_title=framework.title,
            published_on=local_date(found.published_at).isoformat(),
            at_seq=found.at_seq,
            witnesses=self._witnesses(found),
            lines=lines,
            moved=moved(lines, before),
            weakest=weakest(lines),
            supervision=supervision,
            notice=framework.notice,
        )

    def _framework(self, found: Publication) -> Framework:
        name, _, version = found.framework.rpartition("@")
        return self._frameworks.get(name, version)

    def _lines(self, found: Publication) -> tuple[Line, ...]:
        content = self._publications.file(found.id, "scores.jsonl")
        return tuple(line_of(orjson.loads(line)) for line in content.splitlines())

    def _witnesses(self, found: Publication) -> int:
        """How many have cosigned the checkpoint the publication rests on."""
        last = orjson.loads(self._publications.file(found.id, "checkpoints.jsonl").splitlines()[-1])
        note = read_note(last["note"])
        origin = read_checkpoint(note.text).origin
        return sum(signature.name != origin for signature in note.signatures)


def _supervision(session: Session, found: Publication, units: list[str]) -> Supervision:
    """What was opened and closed about these units in the year, up to the publication where that came first."""
    begins, over = (start_of_day(date(int(found.period) + years, 1, 1)) for years in (0, 1))

    def counted(table: Table, moment: ColumnElement[Any]) -> int:
        query = select(func.count()).where(
            table.c.unit.in_(units), moment >= begins, moment < over, moment <= found.published_at
        )
        number: int = session.execute(query).scalar_one()
        return number

    return Supervision(
        warnings=counted(WARNINGS, WARNINGS.c.raised_at),
        opened=counted(ORDERS, ORDERS.c.started_at),
        closed=counted(ORDERS, ORDERS.c.closed_at),
        overdue=counted(ORDERS, ORDERS.c.escalated_due),
        objections=counted(OBJECTIONS, OBJECTIONS.c.filed_at),
    )


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        id=str(row.id),
        publication=str(row.publication),
        kind=row.kind,
        title=row.title,
        pdf=row.pdf,
        docx=row.docx,
        account=row.account,
        made_at=row.made_at,
    )
