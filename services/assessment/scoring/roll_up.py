"""
Roll-up 汇总: from probe states to unit scores, for the units that new events touched.

What is new is read from the log between two sequence numbers. That is safe here, and only here, because the
log's numbers are gapless and rise in commit order (model.py). Every year is scored by the framework in force for it. Nothing is scored twice: the same states always
give the same score, so doing it again changes nothing. Scores are reckoned from one state of the database before the writing
begins, so that new events need not wait at the door meanwhile.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

import orjson
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD, PROBE_STATES, ROLLED_UP, UNIT_SCORES
from services.assessment.scoring.rules import ProbeState, roll_up_totals
from services.assessment.scoring.tallies import Assessed, answerable, assessed_units, states_of

T = TypeVar("T")
ScoreRow = dict[str, object]
EVENTS_A_STEP = 200_000
UNITS_A_STATEMENT = 500
RESTS = 4  # times as long as the scoring took
LONGEST_REST_SECONDS = 60.0
DIRECTORY_CHANGED = "directory_changed"
SCORED_ANEW = "scored_anew"  # how often everything was


class RollUp:
    """Keeps unit scores up to the log."""

    def __init__(self, store: Store, frameworks: Frameworks) -> None:
        self._store = store
        self._frameworks = frameworks
        self._rested_at = 0.0

    def step(self) -> int:
        """Bring the scores of touched units up to date; returns how many events were covered."""
        framework = self._frameworks.current()
        with self._store.reading() as session:
            head: int = session.execute(select(LOG_HEAD.c.size)).scalar_one()
            done = rolled_up(session, key_of(framework))
            directory_changed = rolled_up(session, DIRECTORY_CHANGED)
            anew = rolled_up(session, SCORED_ANEW)
        if directory_changed:
            self.everything()
            return head - done
        if head <= done:
            return 0
        upto = min(head, done + EVENTS_A_STEP)
        with self._store.reading() as session:
            touched = _touched(session, done, upto)
        for year, units in touched.items():
            asked = self._frameworks.in_force(int(year))
            with self._store.reading() as session:
                # Who has nothing yet stands in the ranking too, from the first event of a year on.
                codes = answerable(session, units) if _is_scored(session, asked, year) else None
                rows = self._scores(session, asked, year, codes, upto)
            if not self._store.transact(partial(_write_unless_anew, rows, anew)):
                return upto - done  # covered by who scored everything anew meanwhile
        self._store.transact(lambda work: self._remember_all(work, upto))
        return upto - done

    def keep_up(self) -> int:
        """
        One step, then a rest in proportion to what it took; returns how many events were covered.

        While a load goes on, every step scores nearly everybody; without rests it would do nothing else, and slow
        the load down. A single event is scored in moments and rested from in moments.
        """
        if time.monotonic() < self._rested_at:
            return 0
        began = time.monotonic()
        covered = self.step()
        ended = time.monotonic()
        self._rested_at = ended + min((ended - began) * RESTS, LONGEST_REST_SECONDS)
        return covered

    def catch_up(self) -> int:
        """Step until nothing is left; returns how many events were covered."""
        covered = 0
        while step := self.step():
            covered += step
        return covered

    def everything(self, years: Sequence[str] | None = None) -> int:
        """Score every unit anew, for the years the states know; returns how many scores were written."""
        written = 0
        with self._store.work() as work:
            head = work.session.execute(select(LOG_HEAD.c.size).with_for_update()).scalar_one()
            heard = rolled_up(work.session, DIRECTORY_CHANGED)
            _times_anew(work, 1)
            work.session.execute(delete(UNIT_SCORES))
            for year in years or known_years(work.session):
                framework = self._frameworks.in_force(int(year))
                rows = self._scores(work.session, framework, year, None, head)
                _write(rows, work)
                written += len(rows)
            self._remember_all(work, head)
            _settle(work, heard)
            work.commit()
        return written

    def _remember_all(self, work: Work, seq: int) -> None:
        """Up to where scores are known, under every framework that is in force for a year with scores."""
        used = {key_of(self._frameworks.current())}
        used |= {key_of(self._frameworks.in_force(int(year))) for year in scored_years(work.session)}
        for key in sorted(used):
            _remember(work, key, seq)

    def _scores(
        self, session: Session, framework: Framework, year: str, codes: Sequence[str] | None, upto: int
    ) -> list[ScoreRow]:
        rows: list[ScoreRow] = []
        now = self._store.clock.now()
        for part in _parts(assessed_units(session, framework, codes), UNITS_A_STATEMENT):
            states = states_of(session, part, year)
            rows.extend(
                _score_row(framework, year, unit, states.get(unit.code, {}), upto, now) for unit in part
            )
        return rows


def key_of(framework: Framework) -> str:
    """The key of a framework version in projections."""
    return f"{framework.id}@{framework.version}"


def known_years(session: Session) -> list[str]:
    """Years in which something was found, newest first."""
    year = func.substr(PROBE_STATES.c.period, 1, 4)
    return [row[0] for row in session.execute(select(year).distinct().order_by(year.desc()))]


def scored_years(session: Session) -> list[str]:
    """Years for which units have scores, newest first; a few thousand rows, unlike the states behind them."""
    years = select(UNIT_SCORES.c.year).distinct().order_by(UNIT_SCORES.c.year.desc())
    return list(session.execute(years).scalars())


def _is_scored(session: Session, framework: Framework, year: str) -> bool:
    scored = select(UNIT_SCORES.c.unit).where(
        UNIT_SCORES.c.framework == key_of(framework), UNIT_SCORES.c.year == year
    )
    return session.execute(scored.limit(1)).first() is not None


def latest_year(session: Session) -> str:
    """The newest year for which units have scores; "" while none have."""
    return next(iter(scored_years(session)), "")


def _score_row(
    framework: Framework,
    year: str,
    unit: Assessed,
    states: Mapping[str, ProbeState],
    upto: int,
    now: datetime,
) -> ScoreRow:
    totals = roll_up_totals(framework, unit.group.id, states)
    return {
        "framework": key_of(framework),
        "year": year,
        "unit": unit.code,
        "peer_group": unit.group.id,
        "score": totals.score,
        "coverage": totals.coverage,
        "vetoes": totals.vetoes,
        "applicable": totals.amounts.applicable,
        "earned": totals.amounts.earned,
        "aspects": orjson.dumps(totals.aspects).decode(),
        "modes": orjson.dumps(tuple(totals.modes)).decode(),
        "findings": sum(state.passed + state.failed for state in states.values()),
        "at_seq": upto,
        "known_at": now,
    }


def _write(rows: Sequence[ScoreRow], work: Work) -> None:
    """Put these scores in the place of older ones."""
    keys = ("framework", "year", "unit")
    for part in _parts(rows, UNITS_A_STATEMENT):
        changed = [name for name in part[0] if name not in keys]
        write_rows(
            work.session,
            UNIT_SCORES,
            part,
            keys=keys,
            on_conflict=dict.fromkeys(changed, "replace"),
            only_if="excluded.at_seq >= old.at_seq",
        )


def _write_unless_anew(rows: Sequence[ScoreRow], anew: int, work: Work) -> bool:
    """
    Write scores, unless everything was scored anew since they were reckoned, by another worker.

    They may be of units as they stood before: who was dissolved would stand in the ranking again, and who was
    moved would count where he was, until the next event.
    """
    if _times_anew(work, 0) != anew:
        return False
    _write(rows, work)
    return True


def _times_anew(work: Work, more: int) -> int:
    """How often everything was scored anew, with this time; until this transaction ends nobody else gets past here."""
    row = {"framework": SCORED_ANEW, "seq": more}
    write_rows(work.session, ROLLED_UP, [row], keys=("framework",), on_conflict={"seq": "add"})
    return rolled_up(work.session, SCORED_ANEW)


def directory_changed(work: Work) -> None:
    """Units came, went or moved, or another framework came into force: the next step scores everything anew."""
    row = {"framework": DIRECTORY_CHANGED, "seq": 1}
    write_rows(work.session, ROLLED_UP, [row], keys=("framework",), on_conflict={"seq": "add"})


def _settle(work: Work, heard: int) -> None:
    """So many changes of the directory are seen to; one that came meanwhile leaves all of them for the next step."""
    here = (ROLLED_UP.c.framework == DIRECTORY_CHANGED) & (ROLLED_UP.c.seq == heard)
    work.session.execute(update(ROLLED_UP).where(here).values(seq=0))


def rolled_up(session: Session, key: str) -> int:
    """Up to which event the scores of a framework, by its key, are right."""
    return (
        session.execute(select(ROLLED_UP.c.seq).where(ROLLED_UP.c.framework == key)).scalar_one_or_none() or 0
    )


def _remember(work: Work, key: str, seq: int) -> None:
    row = {"framework": key, "seq": seq}
    further = "excluded.seq >= old.seq"  # of two workers the slower does not take it back
    write_rows(
        work.session, ROLLED_UP, [row], keys=("framework",), on_conflict={"seq": "replace"}, only_if=further
    )


def _touched(session: Session, after: int, upto: int) -> dict[str, list[str]]:
    """Year -> units of the events in (after, upto], of those they correct, and of other corrections of these."""
    rows = session.execute(
        text(
            f"SELECT DISTINCT substr(e.period, 1, 4) AS year, e.unit FROM {EVENT_LOG.name} e "
            "WHERE e.seq > :after AND e.seq <= :upto "
            f"UNION SELECT DISTINCT substr(t.period, 1, 4), t.unit FROM {EVENT_LOG.name} e "
            f"JOIN {EVENT_LOG.name} t ON t.event_id = e.corrects "
            "WHERE e.seq > :after AND e.seq <= :upto AND e.corrects IS NOT NULL "
            f"UNION SELECT DISTINCT substr(t.period, 1, 4), t.unit FROM {EVENT_LOG.name} e "
            f"JOIN {EVENT_LOG.name} t ON t.corrects = e.corrects AND t.corrects IS NOT NULL "
            "WHERE e.seq > :after AND e.seq <= :upto AND e.corrects IS NOT NULL"
        ),
        {"after": after, "upto": upto},
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.year, []).append(row.unit)
    return found


def _parts(every: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(every)
    while part := list(islice(waiting, size)):
        yield part
