"""
Replays 重放: asked for over HTTP, made in the background, or at once by `fazhi replay`.

A replay reads the log up to one event and writes only its own two tables: nothing of the current projections is
touched, and made again it gives the same answer. Under the framework in force it is the current ranking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, delete, func, insert, select, update

from kernel.access.principal import Principal
from kernel.errors import Invalid, NotFound, PlatformError
from kernel.ids import is_id, new_id
from kernel.storage.db import one_moment
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store
from kernel.telemetry.log import logger
from services.assessment.framework.model import DRAFTS
from services.assessment.framework.rules import parse
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.framework.writing import canonical, digest_of, document_of
from services.assessment.ranking.boards import Board, Remembered, make_board
from services.assessment.ranking.known import Known, framework_known, head_of, received
from services.assessment.ranking.periods import Window, window
from services.assessment.ranking.rules import may_see_detail
from services.assessment.ranking.service import RankingPage, Rankings, page_of, peer_group
from services.assessment.replay.model import DONE, FAILED, QUEUED, REPLAY_ROWS, REPLAYS, RUNNING
from services.assessment.replay.report import Impact, impacts, row_of, summary
from services.assessment.scoring.roll_up import key_of
from services.assessment.scoring.tallies import assessed_units

log = logger(__name__)
BOARDS_KEPT = 4
STALE_AFTER = timedelta(minutes=10)
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """A framework to replay a window of months under, with the events taken as known."""

    framework: Framework
    baseline: Framework
    window: Window
    known: Known


class Replays:
    """Asks, makes and shows replays."""

    def __init__(self, store: Store, frameworks: Frameworks, rankings: Rankings) -> None:
        self._store = store
        self._frameworks = frameworks
        self._rankings = rankings
        self._boards: Remembered[Board] = Remembered(BOARDS_KEPT)
        self._parsed: Remembered[Framework] = Remembered(BOARDS_KEPT)

    def ask(
        self,
        who: Principal,
        *,
        framework: str = "",
        version: str = "",
        draft: str = "",
        document: Mapping[str, Any] | None = None,
        period: str,
        upto: str = "",
    ) -> str:
        """Queue a replay of everything known now; returns its id. Raises NotFound, Invalid."""
        chosen = self.chosen(framework, version, draft, document)
        window(period, upto)
        text = canonical(document_of(chosen))
        replay = new_id()
        with self._store.work() as work:
            now = work.clock.now()
            work.session.execute(
                insert(REPLAYS).values(
                    id=replay,
                    framework=key_of(chosen),
                    document=text,
                    digest=digest_of(text),
                    period=period,
                    upto=upto,
                    at_seq=head_of(work.session),
                    state=QUEUED,
                    done=0,
                    total=0,
                    summary="[]",
                    asked_by=who.account,
                    asked_at=now,
                    moved_at=now,
                )
            )
            work.audit(who, "replay.asked", f"replays/{replay}", after_digest=digest_of(text))
            work.commit()
        return replay

    def chosen(
        self, framework: str, version: str, draft: str, document: Mapping[str, Any] | None
    ) -> Framework:
        """A published version, a draft by its id, or a document. Raises NotFound, Invalid."""
        if sum(map(bool, (framework, draft, document))) != 1:
            raise Invalid(
                "请在已发布的版本（framework、version）、草案（draft）和文件（document）中选择一种。",
                code="assessment.replay_source",
            )
        if framework:
            return self._frameworks.get(framework, version)
        if document is not None:
            return self._frameworks.parsed(document)
        with self._store.reading() as session:
            query = select(DRAFTS.c.document).where(DRAFTS.c.id == draft)
            text = session.execute(query).scalar_one_or_none()
        if text is None:
            raise NotFound("没有这份指标体系草案，请核对。", code="assessment.unknown_draft")
        return self._frameworks.parsed(orjson.loads(text))

    def make(
        self, question: Question, advance: Advance = lambda _done, _total: None
    ) -> list[tuple[Board, list[Impact]]]:
        """The replay itself, group by group, without storing anything."""
        made = []
        groups = {group.id: group for group in question.framework.peer_groups}
        baseline = {group.id: group for group in question.baseline.peer_groups}
        with self._store.reading() as session:
            units = assessed_units(session, question.framework)
        total, done = 2 * len(units), 0
        same = _digest(question.framework) == _digest(question.baseline)

        def step(number: int) -> None:
            nonlocal done
            done += number
            advance(min(done, total), total)

        for code in sorted(groups.keys() & {unit.group.id for unit in units}):
            after = self._counted(question.framework, groups[code], question, step)
            before = None
            if code in baseline:
                before = after if same else self._counted(question.baseline, baseline[code], question, step)
            made.append((after, list(impacts(before, after, self._rankings.parameters))))
        advance(total, total)
        return made

    def question(
        self, framework: Framework, period: str, upto: str = "", asked: tuple[int, datetime] | None = None
    ) -> Question:
        """What is replayed: everything known now, or when it was `asked` (number of events, moment)."""
        months = window(period, upto)
        with self._store.reading() as session:
            seq, at = asked or (head_of(session), self._store.clock.now())
            known = Known(seq, at, received(session, seq))
            baseline = framework_known(session, self._frameworks, known, int(months.year))
        return Question(framework, baseline, months, known)

    def make_waiting(self) -> bool:
        """Make the replay that waits longest, if any; one that a dead process left is taken up again."""
        job = self._take()
        if job is None:
            return False

        def advance(done: int, total: int) -> None:
            self._move(job.id, done=done, total=total)

        try:
            framework = self._framework(job)
            question = self.question(framework, job.period, job.upto, (job.at_seq, job.asked_at))
            made = self.make(question, advance)
        except PlatformError as error:
            log.warning("replay_failed", replay=str(job.id), code=error.stable_code)
            self._move(job.id, state=FAILED, summary=orjson.dumps(error.text).decode())
            return True
        with self._store.work() as work:
            work.session.execute(delete(REPLAY_ROWS).where(REPLAY_ROWS.c.replay == job.id))
            for board, found in made:
                write_rows(work.session, REPLAY_ROWS, _rows(str(job.id), board, found))
            told = orjson.dumps([summary(board, found) for board, found in made]).decode()
            work.session.execute(
                update(REPLAYS)
                .where(REPLAYS.c.id == job.id)
                .values(state=DONE, summary=told, moved_at=work.clock.now())
            )
            work.commit()
        return True

    def listed(self, limit: int) -> list[Row[Any]]:
        """The newest replays, without their documents."""
        with self._store.reading() as session:
            columns = [column for column in REPLAYS.c if column.name not in ("document", "summary")]
            query = select(*columns).order_by(REPLAYS.c.asked_at.desc(), REPLAYS.c.id.desc()).limit(limit)
            return list(session.execute(query))

    def one(self, replay: str) -> Row[Any]:
        """A replay with how far it is. Raises NotFound."""
        with self._store.reading() as session:
            wanted = select(REPLAYS).where(REPLAYS.c.id == replay)
            row = session.execute(wanted).first() if is_id(replay) else None
        if row is None:
            raise NotFound("没有这次重放，请核对编号。", code="assessment.unknown_replay")
        return row

    def rows(
        self,
        who: Principal,
        replay: str,
        group: str,
        *,
        offset: int = 0,
        limit: int = 100,
        moved: bool = False,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Lines of a report, reasons only of units this caller may look into; `moved`: the furthest first."""
        self.one(replay)
        condition = (REPLAY_ROWS.c.replay == replay) & (REPLAY_ROWS.c.peer_group == group)
        order = (func.abs(REPLAY_ROWS.c.rank_change).desc(),) if moved else ()
        with self._store.reading() as session:
            total = session.execute(
                select(func.count()).select_from(REPLAY_ROWS).where(condition)
            ).scalar_one()
            query = select(REPLAY_ROWS).where(condition).order_by(*order, REPLAY_ROWS.c.place)
            found = session.execute(query.offset(offset).limit(limit)).all()
        return total, [_told(who, row) for row in found]

    def ranking(self, replay: str, group: str, *, offset: int, limit: int) -> RankingPage:
        """A page of the ranking as the replayed framework gives it. Raises NotFound."""
        job = self.one(replay)
        framework = self._framework(job)
        question = self.question(framework, job.period, job.upto, (job.at_seq, job.asked_at))
        found = peer_group(framework, group)
        with self._store.reading() as session:
            one_moment(session)
            board = self._boards.get(
                (replay, group),
                lambda: make_board(session, framework, found, question.window, question.known),
            )
            return page_of(session, board, offset=offset, limit=limit)

    def _counted(
        self,
        framework: Framework,
        group: PeerGroup,
        question: Question,
        step: Callable[[int], None],
    ) -> Board:
        """A board in a session of its own: the database does not wait while it is thought about."""
        with self._store.reading() as session:
            return make_board(session, framework, group, question.window, question.known, step)

    def _framework(self, job: Row[Any]) -> Framework:
        # checked when it was asked for, and carries all it rests on: the catalogue may have changed since
        return self._parsed.get((job.digest,), lambda: parse(orjson.loads(job.document)))

    def _take(self) -> Row[Any] | None:
        """Claim one; whoever changes its state first has it."""
        now: datetime = self._store.clock.now()
        stale = (REPLAYS.c.state == RUNNING) & (REPLAYS.c.moved_at < now - STALE_AFTER)
        waiting = (REPLAYS.c.state == QUEUED) | stale
        with self._store.reading() as session:
            job = session.execute(select(REPLAYS).where(waiting).order_by(REPLAYS.c.asked_at)).first()
        if job is None:
            return None
        with self._store.work() as work:
            claimed = work.session.execute(
                update(REPLAYS)
                .where(REPLAYS.c.id == job.id, waiting)
                .values(state=RUNNING, done=0, moved_at=now)
                .returning(REPLAYS.c.id)
            ).first()
            work.commit()
        return job if claimed else None

    def _move(self, replay: str, **values: object) -> None:
        with self._store.work() as work:
            work.session.execute(
                update(REPLAYS).where(REPLAYS.c.id == replay).values(**values, moved_at=work.clock.now())
            )
            work.commit()


def _digest(framework: Framework) -> str:
    return digest_of(canonical(document_of(framework)))


def _rows(replay: str, board: Board, found: list[Impact]) -> list[dict[str, Any]]:
    return [
        {
            "replay": replay,
            "peer_group": board.group.id,
            "place": place,
            "unit": impact.unit,
            "path": impact.path,
            "rank_change": impact.rank_change,
            "row": orjson.dumps(row_of(impact)).decode(),
        }
        for place, impact in enumerate(found)
    ]


def _told(who: Principal, row: Row[Any]) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(row.row)
    if not may_see_detail(who, row.path):
        told["reasons"] = None
    return told
