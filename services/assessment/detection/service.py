"""
What is done with signs: looked for, put before a person, confirmed or dismissed with a reason.

Looking again drafts only what was not drafted before. The clock looks at the running year and, until it is closed, at
the one before: what is crowded before the deadline of 31 December is whole only in January. A confirmed draft moves no
score by itself: whoever confirms it opens an order or corrects a datum by the ways that exist for that.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Row, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, NotFound
from kernel.ids import is_id, new_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store
from services.assessment.detection.model import DETECTION_DECISIONS, DETECTION_DRAFTS
from services.assessment.detection.observing import copies, newest, observe
from services.assessment.detection.rules import Draft, Kind, Parameters, drafts
from services.assessment.framework.service import Frameworks
from services.assessment.ranking.known import end_of
from services.assessment.reach import within
from services.assessment.reporting.model import REPORT_VERSIONS
from services.assessment.reporting.past import reports_at
from services.assessment.reporting.reach import unit_names
from services.assessment.scoring.roll_up import key_of, rolled_up
from services.assessment.tables import UNITS
from services.assessment.warnings.looked import LookedAt, looked, looked_at, remember

Decision = Literal["confirmed", "dismissed"]


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """A draft, and what became of it ("" while it waits)."""

    id: str
    kind: Kind
    unit: str
    unit_name: str
    unit_path: str
    year: str
    seen: dict[str, Any]
    words: str
    drafted_at: datetime
    decision: str
    reason: str
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Copying:
    """What belongs to drafts about copied evidence: names of units, and the reports that rest on the files."""

    units: dict[str, str]
    reports: dict[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of drafts, how many there are in all, and (kind, all, not decided) of every kind."""

    rows: tuple[KeptDraft, ...]
    total: int
    kinds: tuple[tuple[Kind, int, int], ...]
    copying: Copying


class Detection:
    """Looks for signs and keeps the drafts."""

    def __init__(
        self, store: Store, frameworks: Frameworks, settings: Parameters, trial: dict[str, Any]
    ) -> None:
        self._store = store
        self._frameworks = frameworks
        self._settings = settings
        self.trial = trial  # how the detector did on planted truths, as it is kept in the catalogue

    def signs(self, year: str) -> list[Draft]:
        """Every sign there is now; nothing is kept."""
        framework = self._frameworks.in_force(int(year))
        with self._store.reading() as session:
            observed = observe(session, framework, year, self._settings)
            return drafts(observed, copies(session, year), self._settings)

    def keep_up(self) -> int:
        """Look at the years that clocks look at, where anything is new; returns how many drafts are new."""
        with self._store.reading() as session:
            years = looked_at(session, local_date(self._store.clock.now()))
        return sum(self._look_again(of) for of in years)

    def _look_again(self, of: LookedAt) -> int:
        framework = self._frameworks.in_force(int(of.year))
        place = f"{of.year} v{self._settings.version}"
        with self._store.reading() as session:
            seen = {what: looked(session, what) for what in (f"signs {place}", f"evidence {place}")}
            # first, so that what is scored meanwhile is looked at the next time
            counted = rolled_up(session, key_of(framework))
            now = dict(zip(seen, newest(session, key_of(framework), of.year), strict=True))
        if of.closed_at_seq is not None and seen[f"signs {place}"] >= of.closed_at_seq:
            return 0
        drafted = self.look(of.year) if any(now[what] > seen[what] for what in seen) else 0
        with self._store.work() as work:
            remember(work, f"signs {place}", counted)
            remember(work, f"evidence {place}", now[f"evidence {place}"])
            work.commit()
        return drafted

    def look(self, year: str, who: Principal = SYSTEM) -> int:
        """
        Look, and keep what was not drafted before; returns how many are new.

        A person keeps drafts about the units in reach, held against all their peers; the clock about all.
        """
        found = self.signs(year)
        with self._store.work() as work:
            if who != SYSTEM:
                theirs = set(
                    work.session.scalars(select(UNITS.table.c.code).where(within(who, UNITS.table.c.code)))
                )
                found = [draft for draft in found if draft.unit in theirs]
            known = {
                tuple(row)
                for row in work.session.execute(select(*_PLACE).where(DETECTION_DRAFTS.c.year == year))
            }
            rows = [
                row for draft in found if (row := _row(draft, year, work.clock.now()))["place"] not in known
            ]
            write_rows(
                work.session,
                DETECTION_DRAFTS,
                [{name: value for name, value in row.items() if name != "place"} for row in rows],
                keys=("unit", "year", "kind", "fingerprint"),
                on_conflict="nothing",
            )
            work.audit(who, "detection.looked", f"detection/{year}", object_version=str(len(rows)))
            work.commit()
        return len(rows)

    def found(
        self,
        who: Principal,
        year: str,
        *,
        kind: str = "",
        offset: int,
        limit: int,
        day: date | None = None,
    ) -> Found:
        """Drafts about units the caller reaches (by the end of a day), those not decided first; of one kind or of all."""
        at = end_of(self._store.clock, day)
        query = (
            _drafts(at)
            .where(
                DETECTION_DRAFTS.c.year == year, UNITS.table.c.path.startswith(who.unit_path, autoescape=True)
            )
            .order_by(
                DETECTION_DECISIONS.c.draft.is_not(None),
                DETECTION_DRAFTS.c.drafted_at.desc(),
                DETECTION_DRAFTS.c.id,
            )
        )
        if not who.unit_path:
            return Found((), 0, (), Copying({}, {}))
        with self._store.reading() as session:
            every = query.order_by(None).subquery()
            counted = select(every.c.kind, func.count(), func.count() - func.count(every.c.decision))
            kinds = [tuple(row) for row in session.execute(counted.group_by(every.c.kind))]
            if kind:
                query = query.where(DETECTION_DRAFTS.c.kind == kind)
            rows = tuple(_kept(row) for row in session.execute(query.offset(offset).limit(limit)))
            total = sum(number for name, number, _ in kinds if name == kind or not kind)
            return Found(rows, total, tuple(kinds), _copying(session, rows, at))

    def decide(self, who: Principal, draft: str, decision: Decision, reason: str) -> None:
        """Confirm or dismiss a draft. Raises NotFound, Conflict."""
        with self._store.work() as work:
            query = _drafts().where(DETECTION_DRAFTS.c.id == draft)
            row = work.session.execute(query).one_or_none() if is_id(draft) else None
            if row is None or not who.reaches(row.unit_path):
                raise NotFound("没有这条线索，请从列表中选择。", code="assessment.unknown_draft")
            if row.decision is not None:
                raise _decided()
            now = work.clock.now()
            values = {
                "draft": draft,
                "decision": decision,
                "reason": reason,
                "account": who.account,
                "decided_at": now,
            }
            try:
                work.session.execute(insert(DETECTION_DECISIONS).values(**values))
            except IntegrityError as twice:  # somebody decided at the same moment: the key lets one through
                raise _decided() from twice
            work.audit(who, f"detection.{decision}", f"detection/drafts/{draft}")
            work.commit()


def _decided() -> Conflict:
    return Conflict("这条线索已经处理过，请刷新页面。", code="assessment.already_decided")


_PLACE = (
    DETECTION_DRAFTS.c.unit,
    DETECTION_DRAFTS.c.kind,
    DETECTION_DRAFTS.c.fingerprint,
)


def _row(draft: Draft, year: str, now: datetime) -> dict[str, Any]:
    written = orjson.dumps(draft.seen, option=orjson.OPT_SORT_KEYS)
    # numbers drift with every event; only which files are copied makes a new sign of the same kind
    told = orjson.dumps(draft.seen.get("digests", []))
    fingerprint = hashlib.sha256(b"fazhi/detection/v1\n" + told).hexdigest()
    return {
        "place": (draft.unit, draft.kind, fingerprint),
        "id": new_id(),
        "kind": draft.kind,
        "unit": draft.unit,
        "year": year,
        "fingerprint": fingerprint,
        "seen": written.decode(),
        "words": draft.words,
        "drafted_at": now,
    }


def _drafts(at: datetime | None = None) -> Any:
    """Drafts with what was decided (until a moment), the unit's name of then and its place of today."""
    decided = DETECTION_DECISIONS.c.draft == DETECTION_DRAFTS.c.id
    then = UNITS.table_at(at).alias("then")
    query = (
        select(
            DETECTION_DRAFTS,
            then.c.name.label("unit_name"),
            UNITS.table.c.path.label("unit_path"),
            DETECTION_DECISIONS.c.decision,
            DETECTION_DECISIONS.c.reason,
            DETECTION_DECISIONS.c.account.label("decided_by"),
            DETECTION_DECISIONS.c.decided_at,
        )
        .join(UNITS.table, UNITS.table.c.code == DETECTION_DRAFTS.c.unit)
        .join(then, then.c.code == DETECTION_DRAFTS.c.unit)
        .outerjoin(
            DETECTION_DECISIONS, decided if at is None else decided & (DETECTION_DECISIONS.c.decided_at <= at)
        )
    )
    return query if at is None else query.where(DETECTION_DRAFTS.c.drafted_at <= at)


def _copying(session: Session, rows: Sequence[KeptDraft], at: datetime | None) -> Copying:
    """The other units by name, and by draft the reports of its unit in which a copied file is evidence."""
    copied = [row for row in rows if row.kind == "copied"]
    if not copied:
        return Copying({}, {})
    others = {unit for row in copied for unit in row.seen["units"]}
    heads = reports_at(at)
    written = (
        select(heads.c.id, heads.c.unit, heads.c.result, REPORT_VERSIONS.c.evidence)
        .join(REPORT_VERSIONS, REPORT_VERSIONS.c.report == heads.c.id)
        .where(
            heads.c.unit.in_({row.unit for row in copied}),
            heads.c.period == copied[0].year,
            heads.c.submitted_version == REPORT_VERSIONS.c.version,
        )
        .order_by(heads.c.result)
    )
    of_unit: dict[str, list[Row[Any]]] = {}
    for report in session.execute(written):
        of_unit.setdefault(report.unit, []).append(report)  # type: ignore[arg-type]  # Row of anything
    return Copying(
        unit_names(session, others, at),
        {
            row.id: tuple(
                (str(report.id), report.result)
                for report in of_unit.get(row.unit, ())
                if any(digest in report.evidence for digest in row.seen["digests"])
            )
            for row in copied
        },
    )


def _kept(row: Row[Any]) -> KeptDraft:
    return KeptDraft(
        id=str(row.id),
        kind=row.kind,
        unit=row.unit,
        unit_name=row.unit_name,
        unit_path=row.unit_path,
        year=row.year,
        seen=orjson.loads(row.seen),
        words=row.words,
        drafted_at=row.drafted_at,
        decision=row.decision or "",
        reason=row.reason or "",
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
    )
