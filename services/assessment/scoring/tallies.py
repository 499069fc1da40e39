"""
Tallies 计数 of units: the probe states that a unit answers for in a year.

A department answers for its own findings; a government also for those of the units under it
(PeerGroup.events "subtree"). What assessment collects itself (probes with a "/", own.py) is about one unit only
and never counts for the one above.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
from services.assessment.framework.values import Framework, PeerGroup
from services.assessment.scoring.log import COUNTS
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
    session: Session, framework: Framework, codes: Iterable[str] | None = None
) -> list[Assessed]:
    """Units of the directory that belong to a peer group; of these codes, or all."""
    statement = "SELECT code, name, path, region_code, kind, level FROM units WHERE valid_to = ''"
    parameters = {}
    if codes is not None:
        statement += f" AND code IN ({_listed(session)})"
        parameters["codes"] = orjson.dumps(list(codes)).decode()
    found = []
    for row in session.execute(text(statement), parameters):
        group = framework.peer_group_of(kind_name(row.kind), level_name(row.level))
        if group is not None:
            found.append(Assessed(row.code, row.name, row.path, row.region_code, group))
    return found


def answerable(session: Session, codes: Iterable[str]) -> list[str]:
    """These units and every unit above them: all whose score these units' findings may move."""
    statement = text(f"SELECT path FROM units WHERE code IN ({_listed(session)})")
    found: set[str] = set()
    for row in session.execute(statement, {"codes": orjson.dumps(list(codes)).decode()}):
        found.update(part for part in row.path.split("/") if part)
    return sorted(found)


def states_of(
    session: Session, units: Iterable[Assessed], year: str, *, until: str = ""
) -> dict[str, dict[str, ProbeState]]:
    """Unit -> probe -> state over a year, or up to a month of it, in one statement for each way of answering."""
    own = [unit for unit in units if unit.group.events == "own"]
    subtree = [unit for unit in units if unit.group.events == "subtree"]
    span = f"{year}-01", until or f"{year}-12"
    return _own(session, own, span) | _subtree(session, subtree, span)


_SUMS = ", ".join(f"CAST(sum(s.{name}) AS bigint) AS {name}" for name in COUNTS)


def _own(
    session: Session, units: Iterable[Assessed], span: tuple[str, str]
) -> dict[str, dict[str, ProbeState]]:
    codes = [unit.code for unit in units]
    if not codes:
        return {}
    return _collected(
        session,
        f"SELECT s.unit AS unit, s.probe, {_SUMS} FROM probe_states s "
        f"WHERE s.period >= :start AND s.period <= :end AND s.unit IN ({_listed(session)}) GROUP BY s.unit, s.probe",
        codes,
        span,
    )


def _subtree(
    session: Session, units: Iterable[Assessed], span: tuple[str, str]
) -> dict[str, dict[str, ProbeState]]:
    codes = [unit.code for unit in units]
    if not codes:
        return {}
    return _collected(
        session,
        f"SELECT above.code AS unit, s.probe, {_SUMS} FROM units above "
        "JOIN units below ON substr(below.path, 1, length(above.path)) = above.path "
        "JOIN probe_states s ON s.unit = below.code AND s.period >= :start AND s.period <= :end "
        "AND (s.probe NOT LIKE '%/%' OR s.unit = above.code) "
        f"WHERE above.code IN ({_listed(session)}) GROUP BY above.code, s.probe",
        codes,
        span,
    )


def _collected(
    session: Session, statement: str, codes: list[str], span: tuple[str, str]
) -> dict[str, dict[str, ProbeState]]:
    found: dict[str, dict[str, ProbeState]] = {}
    parameters = {"codes": orjson.dumps(codes).decode(), "start": span[0], "end": span[1]}
    for row in session.execute(text(statement), parameters):
        found.setdefault(row.unit, {})[row.probe] = ProbeState(*row[2:])
    return found


def _listed(session: Session) -> str:
    if session.connection().dialect.name == "postgresql":
        return "SELECT w FROM json_array_elements_text(CAST(:codes AS json)) AS w"
    return "SELECT value FROM json_each(:codes)"
