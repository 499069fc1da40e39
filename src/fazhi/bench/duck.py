"""
The peer of `fazhi bench ranking`: DuckDB (MIT) making the same scores from the same rows in one statement.

Rows are the states of every unit, month and probe, and the leaves of the framework; the answer is each unit's score. It
is compared with ours, so that both have done the same work. Coverage, credibility and the exact integers are ours
alone: DuckDB computes in doubles, as anybody would write it there.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from services.assessment.framework.values import Framework
from services.assessment.scoring.plan import plan_for

SCORES = """
WITH tallied AS (
    SELECT u.code AS unit, u.grp, s.probe, sum(s.passed + s.failed) AS n, sum(s.graded_milli) AS marks
    FROM units u JOIN units b ON CASE WHEN u.subtree THEN starts_with(b.path, u.path) ELSE b.code = u.code END
    JOIN states s ON s.unit = b.code GROUP BY ALL
), items AS (
    SELECT t.unit, t.grp, l.leaf, l.parent, l.points, l.kind, l.floor, l.target, l.step, l.veto, t.n, t.marks
    FROM tallied t JOIN leaves l ON l.grp = t.grp AND l.probe = t.probe WHERE t.n > 0
), shares AS (
    SELECT unit, leaf, parent, points, sum(marks) < veto * sum(n) AS falls,
        CASE kind
            WHEN 'checklist' THEN avg(marks / (n * 1000.0))
            WHEN 'deduct' THEN greatest(0, 1 - (sum(n) * 1000 - sum(marks)) * step / 1e6)
            WHEN 'add' THEN least(1, sum(marks) * step / 1e6)
            ELSE least(greatest(0, (sum(marks) / (sum(n) * 1000.0) - floor / 1000.0) / ((target - floor) / 1000.0)), 1)
        END AS share
    FROM items GROUP BY unit, leaf, parent, points, kind, floor, target, step, veto
), fallen AS (SELECT DISTINCT unit, parent FROM shares WHERE falls)
SELECT s.unit, 100 * sum(CASE WHEN f.unit IS NULL THEN s.points * s.share ELSE 0 END) / sum(s.points) AS score
FROM shares s LEFT JOIN fallen f ON f.unit = s.unit AND f.parent = s.parent GROUP BY s.unit
"""


def version() -> str:
    """Which DuckDB this is."""
    return str(duckdb.__version__)


def scores(
    framework: Framework, units: Iterable[tuple[Any, ...]], states: Sequence[Mapping[str, Any]]
) -> tuple[float, dict[str, float]]:
    """
    (seconds of the statement, unit -> score); loading is not counted.

    `units`: (code, path, peer group, whether its subtree counts); `states`: unit, probe, passed, failed, graded_milli.
    """
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE units (code VARCHAR, path VARCHAR, grp VARCHAR, subtree BOOLEAN)")
        connection.executemany("INSERT INTO units VALUES (?, ?, ?, ?)", list(units))
        connection.execute(
            "CREATE TABLE leaves (grp VARCHAR, leaf INTEGER, parent INTEGER, points BIGINT, kind VARCHAR, "
            "floor INTEGER, target INTEGER, step INTEGER, veto INTEGER, probe VARCHAR)"
        )
        connection.executemany("INSERT INTO leaves VALUES (?,?,?,?,?,?,?,?,?,?)", _leaves(framework))
        columns = {name: _column(states, name) for name in ("passed", "failed", "graded_milli")}
        connection.register("arrived", _table(states, columns))
        connection.execute("CREATE TABLE states AS SELECT * FROM arrived")
        started = time.monotonic()
        rows = connection.execute(SCORES).fetchall()
        seconds = time.monotonic() - started
    return seconds, dict(rows)


def _leaves(framework: Framework) -> list[tuple[Any, ...]]:
    rows = []
    for group in framework.peer_groups:
        for leaf in plan_for(framework, group.id).leaves:
            method = leaf.method
            shape = (method.kind, method.floor_milli, method.target_milli, method.step_milli)
            rows += [
                (group.id, leaf.place, leaf.parent, leaf.points, *shape, leaf.veto_below_milli, probe)
                for probe in leaf.probes
            ]
    return rows


def _column(states: Sequence[Mapping[str, Any]], name: str) -> Any:
    import numpy as np  # only this peer takes rows as arrays

    return np.array([row[name] for row in states], dtype=np.int64)


def _table(states: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np  # as above

    texts = {name: np.array([row[name] for row in states], dtype=object) for name in ("unit", "probe")}
    return {**texts, **columns}
