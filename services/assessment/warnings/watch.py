"""
Watch 盯防: looks at scores that changed since it looked last, and at new failures that warn by themselves.

A worker clock of its own, so the roll-up is never slower for it. What was below its line is kept (`watched`), and
what was looked at (`looked`), in the transaction of the warnings: killed at any point it looks again and warns once.
The running year is watched, and the one before until it is closed (looked.py): its last failures arrive after
midnight. A total that rests on too little data warns nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from kernel.clock import local_date
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import MICRO, Framework
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD, STANDING, UNIT_SCORES
from services.assessment.scoring.roll_up import key_of, rolled_up
from services.assessment.scoring.rules import NodeScore, roll_up, roll_up_totals
from services.assessment.scoring.tallies import Assessed, assessed_units, states_of
from services.assessment.warnings.looked import LookedAt, looked, looked_at, remember, take_turn
from services.assessment.warnings.model import WATCHED
from services.assessment.warnings.overdue import overdue_tasks
from services.assessment.warnings.rules import MILLI, Raised, WarningRules, falls, is_crossed, share_of
from services.assessment.warnings.service import Warnings

UNITS_A_STEP = 500
EVENTS_A_STEP = 20_000
EVENTS_SHOWN = 20
ROOT = ""


class Watch:
    """Keeps warnings up to the scores and the log."""

    def __init__(self, store: Store, frameworks: Frameworks, warnings: Warnings, rules: WarningRules) -> None:
        self._store = store
        self._frameworks = frameworks
        self._warnings = warnings
        self._rules = rules

    def look(self) -> int:
        """Look at everything new; returns how many warnings were raised."""
        today = local_date(self._store.clock.now())
        with self._store.reading() as session:
            years = looked_at(session, today)
        raised = sum(self.scores(one) for one in years)
        return raised + self.findings(today) + self.trends(today) + self.duties()

    def scores(self, of: LookedAt) -> int:
        """Scores of a year that changed: which nodes fell below their line, which vetoes fell."""
        framework = self._frameworks.in_force(int(of.year))
        what, closed = f"scores {key_of(framework)} {of.year}", of.closed_at_seq
        with self._store.reading() as session:
            after, counted = looked(session, what), rolled_up(session, key_of(framework))
            if closed is not None and after >= closed:
                return 0
            changed = _changed(session, framework, of.year, after)
        raised = 0
        for start in range(0, len(changed), UNITS_A_STEP):
            part = changed[start : start + UNITS_A_STEP]
            is_last = start + UNITS_A_STEP >= len(changed)
            with self._store.work() as work:
                take_turn(work, what)
                raised += self._observe(work, framework, of.year, part)
                # units of one number may lie in two parts: only the last part has seen them all
                remember(work, what, part[-1].at_seq - (not is_last))
                work.commit()
        if closed is not None and counted >= closed:
            with self._store.work() as work:
                take_turn(work, what)
                remember(work, what, max(looked(work.session, what), closed))
                work.commit()
        return raised

    def findings(self, today: date) -> int:
        """New failures of the probes that warn by themselves, of the years that are looked at on this day."""
        raised = 0
        while self._upto("findings") < (head := self._head()):
            with self._store.work() as work:
                take_turn(work, "findings")
                after = looked(work.session, "findings")
                upto = max(after, min(head, after + EVENTS_A_STEP))
                years = looked_at(work.session, today)  # after the head: a reopening before it is seen
                raised += self._failures(work, years, after, upto)
                remember(work, "findings", upto)
                work.commit()
        return raised

    def trends(self, today: date) -> int:
        """Once a month, on the day that the rules name: whose total fell in the months that ended last."""
        last = date(today.year, today.month, 1) - timedelta(days=1)
        framework = self._frameworks.in_force(last.year)
        month = today.year * 12 + today.month - 1
        months = self._rules.trend.months + 1
        what = f"trend {key_of(framework)}"
        if today.day < self._rules.trend.look_on_day or last.month < months:
            return 0  # a year's first months have no months of that year before them
        if self._upto(what) >= month:
            return 0
        with self._store.work() as work:
            take_turn(work, what)
            if looked(work.session, what) >= month:
                return 0
            ends = [
                f"{last.year:04d}-{number:02d}" for number in range(last.month - months + 1, last.month + 1)
            ]
            of = next(one for one in looked_at(work.session, today) if one.year == str(last.year))
            raised = self._fallen(work, framework, ends) if of.closed_at_seq is None else 0
            remember(work, what, month)
            work.commit()
        return raised

    def duties(self) -> int:
        """Tasks of the year that are overdue."""
        raised = 0
        while self._are_late():
            with self._store.work() as work:
                take_turn(work, "duties")
                raised += self._warnings.raise_all(work, overdue_tasks(work.session))
                work.commit()
        return raised

    def _are_late(self) -> bool:
        with self._store.reading() as session:
            return bool(overdue_tasks(session))

    def _head(self) -> int:
        with self._store.reading() as session:
            head: int = session.execute(select(LOG_HEAD.c.size)).scalar_one()
            return head

    def _upto(self, what: str) -> int:
        with self._store.reading() as session:
            return looked(session, what)

    def _observe(self, work: Work, framework: Framework, year: str, changed: Sequence[Row[Any]]) -> int:
        seen = list(self._seen(work.session, framework, year, changed))
        before = _sides(work.session, framework, year, [row.unit for row in changed])
        news = [
            one
            for one in seen
            if is_crossed(was_below=before.get((one["unit"], one["node"])), is_below=one["is_below"])
        ]
        write_rows(
            work.session,
            WATCHED,
            [
                {
                    "framework": key_of(framework),
                    "year": year,
                    "unit": one["unit"],
                    "node": one["node"],
                    "is_below": int(one["is_below"]),
                    "at_seq": one["at_seq"],
                }
                for one in seen
                if before.get((one["unit"], one["node"])) != one["is_below"]
            ],
            keys=("framework", "year", "unit", "node"),
            on_conflict={"is_below": "replace", "at_seq": "replace"},
        )
        raised = [
            Raised(
                kind="finding" if one["node"].endswith("!") else "line",
                unit=one["unit"],
                node=one["node"].removesuffix("!"),
                framework=key_of(framework),
                year=year,
                at_seq=one["at_seq"],
                title=one["title"],
                seen=one["seen"],
            )
            for one in news
        ]
        return self._warnings.raise_all(work, raised)

    def _seen(
        self, session: Session, framework: Framework, year: str, changed: Sequence[Row[Any]]
    ) -> Iterator[dict[str, Any]]:
        """What every watched node of these units is now, in thousandths, beside its line."""
        deep = _has_deep_lines(framework, self._rules)
        rows = {
            row.unit: row for row in changed if row.coverage >= self._rules.least_coverage * MICRO // MILLI
        }
        in_detail = [code for code, row in rows.items() if deep or row.vetoes]
        trees = _trees(session, framework, year, in_detail)
        titles = {node.code: node for node in framework.root.children}
        for unit, row in rows.items():
            tree = trees.get(unit)
            if tree is not None:
                yield from self._of_tree(unit, row.at_seq, tree)
                continue
            root = framework.root
            yield from self._side(
                unit, row.at_seq, ROOT, "总分", "total", root.warning_below_milli, row.score
            )
            for code, score in orjson.loads(row.aspects):
                node = titles[code]
                yield from self._side(
                    unit, row.at_seq, code, node.title, node.level, node.warning_below_milli, score
                )

    def _of_tree(self, unit: str, at_seq: int, tree: NodeScore) -> Iterator[dict[str, Any]]:
        waiting = [tree]
        while waiting:
            score = waiting.pop()
            node = score.node
            is_root = score is tree
            code, title = (ROOT, "总分") if is_root else (node.code, node.title)
            level = "total" if is_root else node.level
            yield from self._side(unit, at_seq, code, title, level, node.warning_below_milli, score.score)
            if node.veto_below_milli:
                yield {
                    "unit": unit,
                    "node": f"{node.code}!",
                    "title": f"一票否决：{node.title}",
                    "is_below": score.veto,
                    "at_seq": at_seq,
                    "seen": {"attainment": score.attainment, "veto_below": node.veto_below_milli},
                }
            waiting.extend(score.children)

    def _side(
        self, unit: str, at_seq: int, node: str, title: str, level: str, drawn: int, score: int | None
    ) -> Iterator[dict[str, Any]]:
        line = self._rules.line_of(level, drawn)
        if line and score is not None:
            yield {
                "unit": unit,
                "node": node,
                "title": f"{title}低于预警线",
                "is_below": share_of(score) < line,
                "at_seq": at_seq,
                "seen": {"score": score, "line": line},
            }

    def _failures(self, work: Work, years: Sequence[LookedAt], after: int, upto: int) -> int:
        probes = sorted(self._rules.findings)
        closed = {of.year: of.closed_at_seq for of in years}
        found: dict[str, dict[tuple[str, str], list[Row[Any]]]] = {}
        for row in _failed(work.session, min(closed), after, upto, probes) if probes else []:
            # by the year of the fact, and none left out by a clock that went back over midnight
            year, limit = row.period[:4], closed.get(row.period[:4])
            if limit is None or row.seq <= limit:
                found.setdefault(year, {}).setdefault((row.unit, row.probe), []).append(row)
        raised = [one for year in sorted(found) for one in self._found(work.session, year, found[year])]
        return self._warnings.raise_all(work, raised)

    def _found(
        self, session: Session, year: str, found: Mapping[tuple[str, str], Sequence[Row[Any]]]
    ) -> list[Raised]:
        framework = self._frameworks.in_force(int(year))
        known = {unit.code for unit in assessed_units(session, framework, {unit for unit, _ in found})}
        nodes = {probe: node.code for node in framework.root.walk() for probe in node.probes}
        return [
            Raised(
                kind="finding",
                unit=unit,
                node=nodes.get(probe, ROOT),
                framework=key_of(framework),
                year=year,
                at_seq=failures[-1].seq,
                title=f"{self._frameworks.probe_titles.get(probe, probe)}：{len(failures)} 件不符合",
                seen={
                    "probe": probe,
                    "count": len(failures),
                    "events": [str(row.event_id) for row in failures[:EVENTS_SHOWN]],
                },
                subjects=tuple(orjson.loads(row.leaf)["subject"] for row in failures),
            )
            for (unit, probe), failures in sorted(found.items())
            if unit in known
        ]

    def _fallen(self, work: Work, framework: Framework, ends: Sequence[str]) -> int:
        head: int = work.session.execute(select(LOG_HEAD.c.size)).scalar_one()
        raised = 0
        units = assessed_units(work.session, framework)
        for start in range(0, len(units), UNITS_A_STEP):
            part = units[start : start + UNITS_A_STEP]
            by_month = [states_of(work.session, part, end[:4], until=end) for end in ends]
            news = []
            for unit in part:
                scores = [
                    roll_up_totals(framework, unit.group.id, states.get(unit.code, {})).score
                    for states in by_month
                ]
                if falls(scores, self._rules.trend):
                    news.append(_trend(framework, unit, ends, scores, head))
            raised += self._warnings.raise_all(work, news)
        return raised


def _trend(
    framework: Framework, unit: Assessed, ends: Sequence[str], scores: Sequence[int | None], head: int
) -> Raised:
    return Raised(
        kind="trend",
        unit=unit.code,
        node=ROOT,
        framework=key_of(framework),
        year=ends[-1][:4],
        at_seq=head,
        title=f"累计得分连续 {len(ends) - 1} 个月下降",
        seen={"months": list(ends), "scores": list(scores)},
    )


def _changed(session: Session, framework: Framework, year: str, after: int) -> Sequence[Row[Any]]:
    query = (
        select(UNIT_SCORES)
        .where(
            UNIT_SCORES.c.framework == key_of(framework),
            UNIT_SCORES.c.year == year,
            UNIT_SCORES.c.at_seq > after,
        )
        .order_by(UNIT_SCORES.c.at_seq, UNIT_SCORES.c.unit)
    )
    return session.execute(query).all()


def _sides(
    session: Session, framework: Framework, year: str, units: Sequence[str]
) -> dict[tuple[str, str], bool]:
    query = select(WATCHED.c.unit, WATCHED.c.node, WATCHED.c.is_below).where(
        WATCHED.c.framework == key_of(framework), WATCHED.c.year == year, WATCHED.c.unit.in_(units)
    )
    return {(row.unit, row.node): bool(row.is_below) for row in session.execute(query)}


def _trees(session: Session, framework: Framework, year: str, codes: Sequence[str]) -> dict[str, NodeScore]:
    units = assessed_units(session, framework, codes) if codes else []
    states = states_of(session, units, year)
    return {unit.code: roll_up(framework, unit.group.id, states.get(unit.code, {})) for unit in units}


def _has_deep_lines(framework: Framework, rules: WarningRules) -> bool:
    """Whether a line is drawn below the first level, so that the whole tree must be looked at."""
    first = {framework.root.code, *(node.code for node in framework.root.children)}
    return any(
        node.code not in first and rules.line_of(node.level, node.warning_below_milli)
        for node in framework.root.walk()
    )


def _failed(session: Session, since: str, after: int, upto: int, probes: Sequence[str]) -> Sequence[Row[Any]]:
    named = {f"p{number}": probe for number, probe in enumerate(probes)}
    listed = ", ".join(f":{name}" for name in named)
    statement = text(
        f"SELECT e.seq, e.event_id, e.unit, e.period, e.probe, e.leaf FROM {EVENT_LOG.name} e "  # noqa: S608
        f"WHERE e.seq > :after AND e.seq <= :upto AND e.outcome = 2 AND e.period >= :start "
        f"AND e.probe IN ({listed}) AND {STANDING} ORDER BY e.seq"
    )
    values = {"after": after, "upto": upto, "start": f"{since}-01", **named}
    return session.execute(statement, values).all()
