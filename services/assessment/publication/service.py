"""
Publication 公布 of a ranking: asked for by one, confirmed by another, made and signed by the worker.

What is published rests on a checkpoint that other institutions have cosigned (R25): the ranking is counted from the
log as it was at that checkpoint, whatever has arrived since. The private key is the worker's, so the API only
records what two people want and the worker does it, seconds later, as often as it takes; the request's id is the
publication's, so it happens once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import orjson
from sqlalchemy import Row, Select, and_, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from contracts.roles import AUDIT_ADMIN
from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_period
from kernel.errors import Conflict, NotFound
from kernel.ids import is_id, new_id
from kernel.ledger.note import Note, NoteSigner
from kernel.storage.blobs import Blobs
from kernel.storage.types import time_text
from kernel.storage.work import Store, Work
from kernel.telemetry.log import logger
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.ledger.service import Ledger
from services.assessment.publication import bundle
from services.assessment.publication.model import PUBLICATION_DECISIONS, PUBLICATION_REQUESTS, PUBLICATIONS
from services.assessment.publication.rules import four_eyes, last_month
from services.assessment.ranking.boards import Board, make_board
from services.assessment.ranking.intervals import intervals_of
from services.assessment.ranking.known import Known, end_of, received, until
from services.assessment.ranking.parameters import Parameters
from services.assessment.ranking.periods import window
from services.assessment.ranking.service import peer_group
from services.assessment.reach import require_all_units
from services.assessment.scoring.roll_up import key_of

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A ranking somebody asked to publish; `decision` None while it waits for a second person."""

    id: str
    period: str
    upto: str
    peer_group: str
    account: str
    note: str
    asked_at: datetime
    decision: bool | None
    decided_by: str
    reason: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A published ranking; `files` by name, with their digests in the blob store."""

    id: str
    period: str
    upto: str
    peer_group: str
    framework: str
    at_seq: int
    published_at: datetime
    replaces: str | None
    manifest: str
    signed: str
    files: dict[str, str]


class Publications:
    """Asks for, confirms, makes and shows published rankings."""

    def __init__(
        self,
        store: Store,
        frameworks: Frameworks,
        ledger: Ledger,
        blobs: Blobs,
        parameters: Parameters,
        signer: Callable[[], NoteSigner],
    ) -> None:
        self._store = store
        self._frameworks = frameworks
        self._ledger = ledger
        self._blobs = blobs
        self._parameters = parameters
        self._signer = signer

    def ask(self, who: Principal, period: str, upto: str, group: str, note: str) -> str:
        """Ask to publish a ranking; returns the request's id. Raises Invalid, NotFound, NotWitnessed, NotForAllUnits."""
        upto = last_month(period, upto, local_period(self._store.clock.now()))
        framework = self._frameworks.in_force(int(period))
        if all(group != known.id for known in framework.peer_groups):
            raise NotFound("没有这个考核对象类别，请从类别列表中选择。", code="assessment.unknown_peer_group")
        request = new_id()
        with self._store.work() as work:
            require_all_units(work.session, who)
            self._ledger.require_fresh(work.session)
            work.session.execute(
                insert(PUBLICATION_REQUESTS).values(
                    id=request,
                    period=period,
                    upto=upto,
                    peer_group=group,
                    account=who.account,
                    note=note,
                    asked_at=work.clock.now(),
                )
            )
            work.audit(who, "publication.asked", f"publications/{request}")
            work.commit()
        return request

    def decide(self, who: Principal, request: str, *, agreed: bool, reason: str) -> None:
        """Confirm or refuse what another asked for. Raises NotFound, Conflict, RuleViolation, NotWitnessed."""
        with self._store.work() as work:
            require_all_units(work.session, who)
            found = _one(work.session, request)
            if found.decision is not None:
                raise _decided()
            four_eyes(found.account, who.account)
            if agreed:
                self._ledger.require_fresh(work.session)
            answer = insert(PUBLICATION_DECISIONS).values(
                request=request,
                agreed=int(agreed),
                account=who.account,
                reason=reason,
                decided_at=work.clock.now(),
            )
            try:
                work.session.execute(answer)
            except IntegrityError as twice:  # somebody decided at the same moment: the key lets one through
                raise _decided() from twice
            work.audit(
                who, "publication.confirmed" if agreed else "publication.refused", f"publications/{request}"
            )
            work.commit()

    def requests(self, *, limit: int = 100, as_of: date | None = None) -> list[Request]:
        """What was asked for, newest first, and what became of it; until the end of a day, or all. Raises Invalid."""
        at = end_of(self._store.clock, as_of)
        query = _requests(at).order_by(PUBLICATION_REQUESTS.c.asked_at.desc()).limit(limit)
        with self._store.reading() as session:
            return [_request(row) for row in session.execute(query)]

    def make_waiting(self) -> int:
        """Make and sign what two people agreed on and is not published yet; returns how many (the worker's)."""
        with self._store.reading() as session:
            query = _requests().where(PUBLICATION_DECISIONS.c.agreed == 1, PUBLICATIONS.c.id.is_(None))
            waiting = [_request(row) for row in session.execute(query)]
        return sum(self._made(request) for request in waiting)

    def _made(self, request: Request) -> bool:
        """Whether a request was made; one that never can be is said, and keeps no other waiting."""
        try:
            self._store.transact(lambda work: self._make(work, request))
        except NotFound as error:
            log.error("ranking_not_published", publication=request.id, why=error.text)
            return False
        return True

    def published(self, *, limit: int = 100, as_of: date | None = None) -> list[Publication]:
        """What was published, newest first; until the end of a day, or all."""
        query = _published().order_by(PUBLICATIONS.c.published_at.desc()).limit(limit)
        at = end_of(self._store.clock, as_of)
        if at is not None:
            query = query.where(PUBLICATIONS.c.published_at <= at)
        with self._store.reading() as session:
            rows = session.execute(query)
            return [_publication(row) for row in rows]

    def one(self, publication: str) -> Publication:
        """A publication; raises NotFound."""
        with self._store.reading() as session:
            query = _published().where(PUBLICATIONS.c.id == publication)
            row = session.execute(query).one_or_none() if is_id(publication) else None
        if row is None:
            raise NotFound("没有这次公布，请从公布列表中选择。", code="assessment.unknown_publication")
        return _publication(row)

    def before(self, found: Publication) -> Publication | None:
        """What was published of the same group and year before, up to whatever month; None for the first."""
        table = PUBLICATION_REQUESTS
        query = (
            _published()
            .where(table.c.period == found.period, table.c.peer_group == found.peer_group)
            .where(PUBLICATIONS.c.published_at < found.published_at)
            .order_by(PUBLICATIONS.c.published_at.desc(), PUBLICATIONS.c.id.desc())
        )
        with self._store.reading() as session:
            row = session.execute(query).first()
        return None if row is None else _publication(row)

    def file(self, publication: str, name: str) -> bytes:
        """A file of a bundle but the events; raises NotFound."""
        found = self.one(publication)
        if name == "manifest.json":
            return found.manifest.encode()
        if name == "publication.note":
            return found.signed.encode()
        if name not in found.files:
            raise NotFound("数据包中没有这个文件。", code="assessment.unknown_file")
        return self._blobs.get(found.files[name])

    def events(self, publication: str) -> Iterator[bytes]:
        """The events of a bundle, streamed from the log; raises NotFound."""
        found = self.one(publication)

        def parts() -> Iterator[bytes]:
            with self._store.reading() as session:
                yield from bundle.event_lines(session, found.at_seq)

        return parts()

    def demand_whole(self, who: Principal) -> None:
        """Raise NotForAllUnits for who may not have what lies behind a publication: the events of every unit."""
        if not who.has(AUDIT_ADMIN):  # audits the whole, wherever his desk stands (R36)
            with self._store.reading() as session:
                require_all_units(session, who)

    def export(self, publication: str, folder: Path) -> None:
        """Write the whole bundle into a new folder, events too; raises NotFound, Conflict where it exists."""
        found = self.one(publication)
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise Conflict("目标文件夹已存在，请另选一个。", code="assessment.folder_exists") from error
        for name in ("manifest.json", "publication.note", *found.files):
            (folder / name).write_bytes(self.file(publication, name))
        with (folder / bundle.EVENTS).open("wb") as file:
            file.writelines(self.events(publication))

    def _make(self, work: Work, request: Request) -> None:
        found = self._ledger.require_witnessed(work.session, 1)
        framework = self._frameworks.in_force(int(request.period))
        board = self.board(
            work.session, framework, request.peer_group, request.period, request.upto, found.size
        )
        ranges = intervals_of(board, self._parameters)
        files = bundle.files(work.session, board, ranges, found)
        now = work.clock.now()
        before = _latest(work.session, request)
        about = {
            "id": request.id,
            "period": request.period,
            "upto": request.upto,
            "peer_group": request.peer_group,
            "framework": key_of(framework),
            "origin": self._ledger.origin,
            "at_seq": found.size,
            "intervals": ranges.method,
            "published_at": time_text(now),
            "replaces": before,
        }
        written = bundle.manifest(about, files, bundle.event_lines(work.session, found.size))
        text = bundle.statement(written, request.id)
        signed = str(Note(text, (self._signer().sign(text),)))
        work.session.execute(
            insert(PUBLICATIONS).values(
                id=request.id,
                framework=key_of(framework),
                at_seq=found.size,
                published_at=now,
                replaces=before,
                manifest=written.decode(),
                signed=signed,
                files=orjson.dumps(
                    {name: self._blobs.put(content) for name, content in files.items()}
                ).decode(),
            )
        )
        work.audit(SYSTEM, "publication.made", f"publications/{request.id}", object_version=str(found.size))
        work.commit()
        log.info("ranking_published", publication=request.id, at_seq=found.size)

    def board(
        self, session: Session, framework: Framework, group: str, period: str, upto: str, at_seq: int
    ) -> Board:
        """The ranking as it was when the log had so many events, from the log alone: that is what anybody can check."""
        received_at = received(session, at_seq)
        known = Known(at_seq, received_at or self._store.clock.now(), received_at)
        asked = window(period, upto)
        return make_board(session, framework, peer_group(framework, group), asked, known, from_log=True)

    def scores(self, session: Session, board: Board) -> bytes:
        """The lines of a board, as they are published."""
        return bundle.scores(session, board, intervals_of(board, self._parameters))


def _decided() -> Conflict:
    return Conflict("这项申请已经办理过，请刷新页面。", code="assessment.already_decided")


def _requests(at: datetime | None = None) -> Select[tuple[object, ...]]:
    """Requests with their answers and publications (until a moment)."""
    table = PUBLICATION_REQUESTS
    decided = and_(
        PUBLICATION_DECISIONS.c.request == table.c.id, until(PUBLICATION_DECISIONS.c.decided_at, at)
    )
    published = and_(PUBLICATIONS.c.id == table.c.id, until(PUBLICATIONS.c.published_at, at))
    return (
        select(
            table,
            PUBLICATION_DECISIONS.c.agreed,
            PUBLICATION_DECISIONS.c.account.label("decided_by"),
            PUBLICATION_DECISIONS.c.reason,
            PUBLICATIONS.c.published_at,
        )
        .outerjoin(PUBLICATION_DECISIONS, decided)
        .outerjoin(PUBLICATIONS, published)
        .where(until(table.c.asked_at, at))
    )


def _one(session: Session, request: str) -> Request:
    row = (
        session.execute(_requests().where(PUBLICATION_REQUESTS.c.id == request)).one_or_none()
        if is_id(request)
        else None
    )
    if row is None:
        raise NotFound("没有这项公布申请，请刷新页面。", code="assessment.unknown_request")
    return _request(row)


def _request(row: Row[tuple[object, ...]]) -> Request:
    return Request(
        id=str(row.id),
        period=row.period,
        upto=row.upto,
        peer_group=row.peer_group,
        account=row.account,
        note=row.note,
        asked_at=row.asked_at,
        decision=None if row.agreed is None else bool(row.agreed),
        decided_by=row.decided_by or "",
        reason=row.reason or "",
        published_at=row.published_at,
    )


def _published() -> Select[tuple[object, ...]]:
    table = PUBLICATION_REQUESTS
    return select(PUBLICATIONS, table.c.period, table.c.upto, table.c.peer_group).join(
        table, table.c.id == PUBLICATIONS.c.id
    )


def _latest(session: Session, request: Request) -> str | None:
    """The publication of the same ranking, up to the same month, before this one: the one that this one corrects."""
    table = PUBLICATION_REQUESTS
    same = (table.c.period, request.period), (table.c.upto, request.upto)
    query = (
        _published()
        .where(*(column == value for column, value in same), table.c.peer_group == request.peer_group)
        .order_by(PUBLICATIONS.c.published_at.desc())
    )
    row: Sequence[object] | None = session.execute(query).first()
    return str(row[0]) if row is not None else None


def _publication(row: Row[tuple[object, ...]]) -> Publication:
    return Publication(
        id=str(row.id),
        period=row.period,
        upto=row.upto,
        peer_group=row.peer_group,
        framework=row.framework,
        at_seq=row.at_seq,
        published_at=row.published_at,
        replaces=str(row.replaces) if row.replaces else None,
        manifest=row.manifest,
        signed=row.signed,
        files=orjson.loads(row.files),
    )
