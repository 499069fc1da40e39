"""
Watch 盯防: looks at scores that changed since it looked last, and at new failures that warn by themselves.

A worker clock of its own, so the roll-up is never slower for it. What was below its line is kept (`watched`), and
what was looked at (`looked`), in the transaction of the warnings: killed at any point it looks again and warns once.
Only the running year is watched; a total that rests on too little data warns nobody.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from kernel.clock import local_date, local_period
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import MICRO, Framework
from services.assessment.scoring.model import EVENT_LOG, LOG_HEAD, STANDING, UNIT_SCORES
from services.assessment.scoring.roll_up import key_of
from services.assessment.scoring.rules import NodeScore, roll_up, roll_up_totals
from services.assessment.scoring.tallies import Assessed, assessed_units, states_of
from services.assessment.warnings.model import LOOKED, WATCHED
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
        framework = self._frameworks.current()
        return self.scores(framework) + self.findings(framework) + self.trends(framework) + self.duties()

    def scores(self, framework: Framework) -> int:
        """Scores that changed: which nodes fell below their line, which vetoes fell."""
        year = self._year()
        what = f"scores {key_of(framework)} {year}"
        with self._store.reading() as session:
            changed = _changed(session, framework, year, _looked(session, what))
        raised = 0
        for start in range(0, len(changed), UNITS_A_STEP):
            part = changed[start : start + UNITS_A_STEP]
            is_last = start + UNITS_A_STEP >= len(changed)
            with self._store.work() as work:
                _take_turn(work, what)
                raised += self._observe(work, framework, year, part)
                # units of one number may lie in two parts: only the last part has seen them all
                _remember(work, what, part[-1].at_seq - (not is_last))
                work.commit()
        return raised

    def findings(self, framework: Framework) -> int:
        """New failures of the probes that warn by themselves, of the running year."""
        year, raised = self._year(), 0
        while self._looked("findings") < (head := self._head()):
            with self._store.work() as work:
                _take_turn(work, "findings")
                after = _looked(work.session, "findings")
                upto = max(after, min(head, after + EVENTS_A_STEP))
                raised += self._failures(work, framework, year, after, upto)
                _remember(work, "findings", upto)
                work.commit()
        return raised

    def trends(self, framework: Framework) -> int:
        """Once a month, on the day that the rules name: whose total has been falling."""
        today = local_date(self._store.clock.now())
        month = today.year * 12 + today.month - 1
        months = self._rules.trend.months + 1
        what = f"trend {key_of(framework)}"
        if today.day < self._rules.trend.look_on_day or today.month - 1 < months:
            return 0  # a year's first months have no months of that year before them
        if self._looked(what) >= month:
            return 0
        with self._store.work() as work:
            _take_turn(work, what)
            if _looked(work.session, what) >= month:
                return 0
            ends = [f"{today.year:04d}-{number:02d}" for number in range(today.month - months, today.month)]
            raised = self._fallen(work, framework, ends)
            _remember(work, what, month)
            work.commit()
        return raised

    def duties(self) -> int:
        """Tasks of the year that are overdue."""
        raised = 0
        while self._are_late():
            with self._store.work() as work:
                _take_turn(work, "duties")
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

    def _looked(self, what: str) -> int:
        with self._store.reading() as session:
            return _looked(session, what)

    def _year(self) -> str:
        return local_period(self._store.clock.now())[:4]

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

    def _failures(self, work: Work, framework: Framework, year: str, after: int, upto: int) -> int:
        probes = sorted(self._rules.findings)
        rows = _failed(work.session, year, after, upto, probes) if probes else []
        found: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in rows:
            found.setdefault((row.unit, row.probe), []).append(row)
        known = {unit.code for unit in assessed_units(work.session, framework, {unit for unit, _ in found})}
        nodes = {probe: node.code for node in framework.root.walk() for probe in node.probes}
        raised = [
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
        return self._warnings.raise_all(work, raised)

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


def _failed(session: Session, year: str, after: int, upto: int, probes: Sequence[str]) -> Sequence[Row[Any]]:
    named = {f"p{number}": probe for number, probe in enumerate(probes)}
    listed = ", ".join(f":{name}" for name in named)
    statement = text(
        f"SELECT e.seq, e.event_id, e.unit, e.probe, e.leaf FROM {EVENT_LOG.name} e "  # noqa: S608
        f"WHERE e.seq > :after AND e.seq <= :upto AND e.outcome = 2 AND e.period >= :start "
        f"AND e.probe IN ({listed}) AND {STANDING} ORDER BY e.seq"
    )
    values = {"after": after, "upto": upto, "start": f"{year}-01", **named}
    return session.execute(statement, values).all()


def _looked(session: Session, what: str) -> int:
    query = select(func.coalesce(func.max(LOOKED.c.upto), 0)).where(LOOKED.c.what == what)
    upto: int = session.execute(query).scalar_one()
    return upto


def _take_turn(work: Work, what: str) -> None:
    """Wait for another worker that looks at the same; what it saw is then known here."""
    write_rows(work.session, LOOKED, [{"what": what, "upto": 0}], keys=("what",), on_conflict={"upto": "add"})


def _remember(work: Work, what: str, upto: int) -> None:
    row = {"what": what, "upto": upto}
    write_rows(work.session, LOOKED, [row], keys=("what",), on_conflict={"upto": "replace"})
