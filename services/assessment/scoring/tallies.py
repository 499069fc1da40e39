"""
Tallies 计数 of units: the probe states that a unit answers for in some months, as known now or at some event.

A department answers for its own findings; a government also for those of the units under it
(PeerGroup.events "subtree"). What assessment collects itself (probes with a "/", own.py) is about one unit only
and never counts for the one above.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.lineage import units_at
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.model import STANDING_AT, TALLIES
from services.assessment.scoring.rules import ProbeState


@dataclass(frozen=True, slots=True)
class Assessed:
    """A unit that is assessed, with its peer group."""

    code: str
    name: str
    path: str
    region_code: str
    group: PeerGroup


def kind_name(kind: int) -> str:
    """UNIT_KIND_DEPARTMENT as "department"."""
    return UnitKind.Name(kind).removeprefix("UNIT_KIND_").lower()


def level_name(level: int) -> str:
    """UNIT_LEVEL_COUNTY as "county"."""
    return UnitLevel.Name(level).removeprefix("UNIT_LEVEL_").lower()


def assessed_units(
    session: Session, framework: Framework, codes: Iterable[str] | None = None, *, at: datetime | None = None
) -> list[Assessed]:
    """Units of the directory, as it stood at a moment (None: now), that belong to a peer group; of these codes, or all."""
    units, parameters, typed = units_at(at)
    statement = f"SELECT code, name, path, region_code, kind, level FROM {units} u WHERE valid_to = ''"
    if codes is not None:
        statement += f" AND code IN ({_listed(session)})"
        parameters["codes"] = _codes(session, codes)
    found = []
    for row in session.execute(text(statement).bindparams(*typed), parameters):
        group = framework.peer_group_of(kind_name(row.kind), level_name(row.level))
        if group is not None:
            found.append(Assessed(row.code, row.name, row.path, row.region_code, group))
    return found


def answerable(session: Session, codes: Iterable[str]) -> list[str]:
    """These units and every unit above them: all whose score these units' findings may move."""
    statement = text(f"SELECT path FROM units WHERE code IN ({_listed(session)})")
    found: set[str] = set()
    for row in session.execute(statement, {"codes": _codes(session, codes)}):
        found.update(part for part in row.path.split("/") if part)
    return sorted(found)


def states_of(
    session: Session,
    units: Iterable[Assessed],
    year: str,
    *,
    since: str = "",
    until: str = "",
    at_seq: int | None = None,
    at: datetime | None = None,
    from_log: bool = False,
) -> dict[str, dict[str, ProbeState]]:
    """
    Unit -> probe -> state of a year, in one statement for each way of answering.

    `since` begins and `until` ends it with a month ("2026-09"). `at_seq` None is everything known now, read from the
    projection; a number is what was known when the log had that many events (as of 截至), counted anew from the log
    where it has changed since; `at` is the moment of which the unit tree is taken. `from_log` counts all of it from
    the log: what is published must not rest on a projection, which is in no ledger.
    """
    known = {"first": since or f"{year}-01", "last": until or f"{year}-12", "at_seq": at_seq}
    every = list(units)
    own = [unit.code for unit in every if unit.group.events == "own"]
    subtree = [unit.code for unit in every if unit.group.events == "subtree"]
    states = "probe_states"
    if at_seq is not None:
        states = _STATES_IN_LOG if from_log else _STATES_AT
    found = _collected(session, _OWN, states, own, known)
    return found | _collected(session, _SUBTREE, states, subtree, known, at)


_SUMS = ", ".join(f"CAST(sum(s.{name}) AS bigint) AS {name}" for name in COUNTS)
_OWN = (
    f"SELECT s.unit AS unit, s.probe, {_SUMS} FROM {{states}} s "
    "WHERE s.period >= :first AND s.period <= :last AND s.unit IN ({listed}) GROUP BY s.unit, s.probe"
)
# Each unit is summed once, not once for every government above it: left to itself a planner reads every state of
# the province for every government, three quarters of a minute instead of two seconds.
_SUBTREE = (
    "WITH tree AS MATERIALIZED (SELECT code, path FROM {units} u), "
    "reach AS MATERIALIZED (SELECT above.code AS above, below.code AS below FROM tree above "
    "JOIN tree below ON substr(below.path, 1, length(above.path)) = above.path "
    "WHERE above.code IN ({listed})), "
    f"s AS MATERIALIZED (SELECT unit, probe, {', '.join(f'sum({name}) AS {name}' for name in COUNTS)} "
    "FROM {states} counted WHERE period >= :first AND period <= :last "
    "AND unit IN (SELECT below FROM reach) GROUP BY unit, probe) "
    f"SELECT reach.above AS unit, s.probe, {_SUMS} FROM reach JOIN s ON s.unit = reach.below "
    "AND (s.probe NOT LIKE '%/%' OR s.unit = reach.above) GROUP BY reach.above, s.probe"
)
# The states as they would have been at that event: the same names and sums as the projection has. What has not
# changed since is taken from there, what began since is left out, and only the rest is counted anew from the log.
_WITHIN = "k.period >= :first AND k.period <= :last AND k.unit IN ({whose})"
_STATES_AT = (
    f"(SELECT k.unit, k.period, k.probe, {', '.join(COUNTS)} FROM probe_states k "
    f"WHERE k.changed_seq <= :at_seq AND {_WITHIN} "
    f"UNION ALL SELECT e.unit, e.period, e.probe, {TALLIES} FROM probe_states k "
    "JOIN event_log e ON e.unit = k.unit AND e.probe = k.probe AND e.period = k.period "
    f"WHERE k.first_seq <= :at_seq AND k.changed_seq > :at_seq AND {_WITHIN} AND {STANDING_AT} "
    "GROUP BY e.unit, e.period, e.probe)"
)
_STATES_IN_LOG = (
    f"(SELECT e.unit, e.period, e.probe, {TALLIES} FROM event_log e "
    f"WHERE {STANDING_AT} AND e.period >= :first AND e.period <= :last AND e.unit IN ({{whose}}) "
    "GROUP BY e.unit, e.period, e.probe)"
)
_UNDER = "SELECT below FROM reach"


def _collected(
    session: Session,
    statement: str,
    states: str,
    codes: list[str],
    known: Mapping[str, object],
    at: datetime | None = None,
) -> dict[str, dict[str, ProbeState]]:
    if not codes:
        return {}
    listed = _listed(session)
    states = states.format(whose=listed if statement is _OWN else _UNDER)
    found: dict[str, dict[str, ProbeState]] = {}
    units, moment, typed = units_at(at)
    if statement is _OWN:
        moment, typed = {}, []
    query = text(statement.format(states=states, listed=listed, units=units)).bindparams(*typed)
    for row in session.execute(query, {**known, **moment, "codes": _codes(session, codes)}):
        found.setdefault(row.unit, {})[row.probe] = ProbeState(*row[2:])
    return found


def _listed(session: Session) -> str:
    # Of an array a planner knows the length, of JSON it guesses a hundred: enough to read the log for one unit.
    if _is_postgresql(session):
        return "SELECT unnest(CAST(:codes AS text[]))"
    return "SELECT value FROM json_each(:codes)"


def _codes(session: Session, codes: Iterable[str]) -> list[str] | str:
    listed = list(codes)
    return listed if _is_postgresql(session) else orjson.dumps(listed).decode()


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"
