"""
Register of normative documents 行政规范性文件登记: entered by their makers, one by one or many at once, and looked at.

Every entry or change runs the probes of rules.py in the same transaction; days that pass and citations told by
other services run them again. A finding that says the same tells nothing new (contracts.findings.register).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from contracts.findings import Mode
from contracts.findings.evidence import HandedIn
from contracts.findings.register import Found
from contracts.findings.wire import OLDEST
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.ids import derived_id, is_id
from kernel.storage.blobs import Blobs
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.legislation.documents.rules import title_key
from services.legislation.drafting.model import NormativeDocument
from services.legislation.drafting.periods import DocumentPeriods
from services.legislation.drafting.rules import REVIEW_RESULTS, DocumentFacts, look, next_look_on
from services.legislation.drafting.uses import Use, latest_use, uses_of
from services.legislation.paging import check_page
from services.legislation.tables import EVIDENCE, FINDINGS, UNITS, table_of

BATCH = 500
_KEPT = ("id", "recorded_at", "version", "used_on")
KINDS = ("决定", "办法", "规定", "细则", "意见", "通告", "通知", "其他")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One normative document as its maker reports it; dates that have not come yet are None."""

    unit: str
    number: str
    title: str
    kind: str = "其他"
    comment_opened_on: date | None = None
    comment_closed_on: date | None = None
    reviewed_on: date | None = None
    review_result: str = ""
    deliberated_on: date | None = None
    signed_on: date
    registration: str = ""
    published_on: date | None = None
    effective_on: date | None = None
    filed_on: date | None = None
    expires_on: date | None = None
    repealed_on: date | None = None
    used_on: date | None = None


class Register:
    """Keeps the register and lets the probes look at it."""

    def __init__(self, store: Store, periods: DocumentPeriods, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs
        self._periods = periods

    def enter(self, who: Principal, entry: Entry) -> NormativeDocument:
        """Enter a document for a unit within the caller's reach. Raises `Invalid`, `NotFound` or `Conflict`."""
        check(entry, local_date(self._store.clock.now()))
        with self._store.work() as work:
            _reachable(work.session, who, entry.unit)
            row = self._row(work, entry, Mode.ENTERED)
            written = write_rows(
                work.session, table_of(NormativeDocument), [row], on_conflict="nothing", returning=("id",)
            )
            if not written:
                raise Conflict("本单位已登记过同一文号的文件，请核对文号。", code="legislation.number_taken")
            self._keep(work, who, {str(row["id"]): entry})
            self._look(work, [row["id"]], is_new=True)
            work.audit(who, "normative_document.entered", f"normative-documents/{row['id']}")
            work.commit()
        return self.one(who, row["id"])

    def change(self, who: Principal, document: str, entry: Entry, *, version: int) -> NormativeDocument:
        """Replace the facts of an entry; `version` is the one the caller saw. Raises `Conflict` when it is older."""
        check(entry, local_date(self._store.clock.now()))
        with self._store.work() as work:
            stored = reached(work.session, who, document)
            if (entry.unit, entry.number) != (stored.unit, stored.number):
                raise Invalid("制定机关和文号不能修改，请另行登记。", code="legislation.identity_fixed")
            if stored.version != version:
                raise Conflict(code="legislation.changed_meanwhile")
            row = self._row(work, entry, Mode.ENTERED)
            changes = {name: value for name, value in row.items() if name not in _KEPT} | {
                "version": version + 1
            }
            if row["title_key"] != stored.title_key:
                changes["used_on"] = None  # it was cited by another name
            changed = work.session.execute(
                update(NormativeDocument)
                .where(NormativeDocument.id == document, NormativeDocument.version == version)
                .values(changes)
                .returning(NormativeDocument.id)
            )
            if not changed.scalars().all():
                raise Conflict(code="legislation.changed_meanwhile")
            self._keep(work, who, {document: entry})
            self._look(work, [document], is_new=True)
            work.audit(
                who,
                "normative_document.changed",
                f"normative-documents/{document}",
                object_version=str(version + 1),
            )
            work.commit()
        return self.one(who, document)

    def import_entries(self, entries: Iterable[Entry], mode: Mode = Mode.REPORTED) -> int:
        """
        Take in a whole register, set-wise; entries known by unit and number are left as they are.

        Returns how many were new. Raises `Invalid` at the first entry that contradicts itself, with its number.
        """
        written, today = 0, local_date(self._store.clock.now())
        waiting = iter(entries)
        while batch := list(islice(waiting, BATCH)):
            for entry in batch:
                check(entry, today)
            written += self._store.transact(partial(self._take_in, entries=batch, mode=mode))
        return written

    def look_at_due(self) -> int:
        """
        Look again at documents whose time has come (newly entered, filing period over); returns how many.

        What an entry says changes which document of its title a citation meant, whoever told it first.
        """

        def act(work: Work) -> int:
            today = local_date(work.clock.now())
            wanted = select(NormativeDocument).where(NormativeDocument.next_look_on <= today)
            page = wanted.order_by(NormativeDocument.next_look_on, NormativeDocument.id).limit(BATCH)
            due = list(work.session.scalars(page))
            titles = {document.title_key for document in due}
            moved = self._note(work, uses_of(work.session, titles), over=True)
            self._look(work, sorted({document.id for document in due} | moved))
            return len(due)

        total = 0
        while done := self._store.transact(act):
            total += done
        return total

    def note_use(self, work: Work, uses: Iterable[Use]) -> None:
        """Take note that titles were cited by a unit on a day, in the transaction of `work`."""
        self._look(work, sorted(self._note(work, list(uses), over=False)))

    def _note(self, work: Work, uses: Sequence[Use], *, over: bool) -> set[str]:
        """Which documents were last used when; `over`: the uses are all that were told of their titles."""
        moved = set()
        keys = iter({use.title_key for use in uses})
        while part := list(islice(keys, BATCH)):
            wanted = select(NormativeDocument).where(NormativeDocument.title_key.in_(part))
            documents = list(work.session.scalars(wanted))
            latest = latest_use(work.session, documents, uses)
            for document in documents:
                day = latest.get(document.id)
                if not over:
                    day = max(filter(None, (day, document.used_on)), default=None)
                if day != document.used_on:
                    document.used_on = day
                    moved.add(document.id)
        work.session.flush()
        return moved

    def one(self, who: Principal, document: str) -> NormativeDocument:
        """One entry. Raises `NotFound` when there is none within the caller's reach."""
        with self._store.reading() as session:
            return reached(session, who, document)

    def documents(
        self, who: Principal, *, title: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[int, list[NormativeDocument]]:
        """Entries of the units within the caller's reach, youngest first, with their number in all."""
        check_page(offset, limit)
        wanted = _in_reach(who)
        if title.strip():
            wanted = wanted.where(NormativeDocument.title_key.contains(title_key(title), autoescape=True))
        with self._store.reading() as session:
            total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
            page = wanted.order_by(NormativeDocument.signed_on.desc(), NormativeDocument.id)
            return total, list(session.scalars(page.offset(offset).limit(limit)))

    def _take_in(self, work: Work, *, entries: Sequence[Entry], mode: Mode) -> int:
        given = {(entry.unit, entry.number): entry for entry in entries}
        rows = {key: self._row(work, entry, mode) for key, entry in given.items()}
        written = write_rows(
            work.session,
            table_of(NormativeDocument),
            list(rows.values()),
            on_conflict="nothing",
            returning=("id",),
        )
        fresh = {str(row.id) for row in written}
        handed_in = {str(row["id"]): given[key] for key, row in rows.items() if str(row["id"]) in fresh}
        self._keep(work, SYSTEM, handed_in)
        self._look(work, list(handed_in), is_new=True)
        work.audit(SYSTEM, "normative_documents.imported", f"{len(written)} 份")
        return len(written)

    def _row(self, work: Work, entry: Entry, mode: Mode) -> dict[str, Any]:
        now = work.clock.now()
        return {
            **asdict(entry),
            "id": derived_id("legislation/normative-document", entry.unit, entry.number),
            "title_key": title_key(entry.title),
            "file_by": self._periods.file_by(entry.published_on),
            "expires_on": entry.expires_on or self._periods.expires_on(entry.title, entry.effective_on),
            "mode": int(mode),
            "version": 1,
            "recorded_at": now,
            "changed_at": now,
        }

    def _keep(self, work: Work, who: Principal, entries: Mapping[str, Entry]) -> None:
        """The entries as they were handed in, by document, as evidence."""
        name = "行政规范性文件登记表.json"
        records = (HandedIn(subject_of(id_), orjson.dumps(entry), name) for id_, entry in entries.items())
        EVIDENCE.keep(work, self._blobs, who, records)

    def _look(self, work: Work, ids: Sequence[str], *, is_new: bool = False) -> None:
        """Tell what the probes find; what a new entry changes for its whole title is seen to by the clock, today."""
        today = local_date(work.clock.now())
        found = []
        waiting = iter(ids)
        while part := list(islice(waiting, BATCH)):
            for document in work.session.scalars(
                select(NormativeDocument).where(NormativeDocument.id.in_(part))
            ):
                facts = facts_of(document, today)
                document.next_look_on = today if is_new else next_look_on(facts)
                subject = subject_of(document.id)
                found += [
                    Found(subject, document.unit, Mode(document.mode), finding)
                    for finding in look(facts)
                    if finding.occurred_at
                    >= work.clock.now() - OLDEST  # of what is older nobody takes an event
                ]
        work.session.flush()
        FINDINGS.record(work, found)


def subject_of(document: str) -> str:
    """How others name an entry."""
    return f"legislation/normative-documents/{document}"


def check(entry: Entry, today: date) -> None:
    """Raise `Invalid`, naming each field, when an entry contradicts itself or tells what has not happened yet."""
    problems = [
        Problem(name, "legislation.missing_field", f"请填写{title}。")
        for name, title in (("unit", "制定机关"), ("number", "文号"), ("title", "标题"))
        if not getattr(entry, name).strip()
    ]
    if entry.review_result not in REVIEW_RESULTS:
        problems.append(Problem("review_result", "legislation.unknown_code", "审核结论应为规定的代码之一。"))
    if entry.kind not in KINDS:
        problems.append(Problem("kind", "legislation.unknown_code", f"文种应为{'、'.join(KINDS)}之一。"))
    for earlier, later, message in _ORDER:
        first, second = getattr(entry, earlier), getattr(entry, later)
        if first and second and first > second:
            problems.append(Problem(later, "legislation.impossible_dates", message))
    problems += [
        Problem(name, "legislation.future", "日期晚于今天，尚未发生的不能登记。")
        for name in _HAPPENED
        if (day := getattr(entry, name)) is not None and day > today
    ]
    if problems:
        raise Invalid(
            f"文件 {entry.number} 填写有误，请按提示修改。", problems=problems, code="legislation.bad_entry"
        )


_HAPPENED = ("reviewed_on", "deliberated_on", "signed_on", "published_on", "filed_on")
_ORDER = (
    ("comment_opened_on", "comment_closed_on", "征求意见结束日期早于开始日期。"),
    ("signed_on", "published_on", "公布日期早于签发日期。"),
    ("published_on", "filed_on", "备案日期早于公布日期。"),
    ("effective_on", "expires_on", "有效期届满日期早于施行日期。"),
)


def facts_of(document: NormativeDocument, today: date) -> DocumentFacts:
    """The facts that the probes look at."""
    return DocumentFacts(
        title=document.title,
        registration=document.registration,
        reviewed_on=document.reviewed_on,
        review_result=document.review_result,
        deliberated_on=document.deliberated_on,
        signed_on=document.signed_on,
        published_on=document.published_on,
        filed_on=document.filed_on,
        file_by=document.file_by,
        effective_on=document.effective_on,
        expires_on=document.expires_on,
        repealed_on=document.repealed_on,
        used_on=document.used_on,
        today=today,
    )


def _in_reach(who: Principal) -> Select[NormativeDocument]:
    path = UNITS.table.c.path
    wanted = select(NormativeDocument).join(UNITS.table, UNITS.table.c.code == NormativeDocument.unit)
    return wanted.where(path.startswith(who.unit_path, autoescape=True) if who.unit_path else path.is_(None))


def reached(session: Session, who: Principal, document: str) -> NormativeDocument:
    """The entry, or `NotFound` when there is none within the caller's reach."""
    found = (
        session.scalar(_in_reach(who).where(NormativeDocument.id == document)) if is_id(document) else None
    )
    if found is None:
        raise NotFound("没有这份文件，或不在您的管辖范围内。", code="legislation.unknown_document")
    return found


def _reachable(session: Session, who: Principal, unit: str) -> None:
    path = session.scalar(select(UNITS.table.c.path).where(UNITS.table.c.code == unit))
    if path is None or not who.reaches(path):
        raise NotFound("没有这个制定机关，或不在您的管辖范围内。", code="legislation.unknown_unit")
