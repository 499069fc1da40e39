"""
Use cases of the directory 单位目录.

Every change is a new version, kept for ever, and told to all services in the transaction that made it. Paths
are reckoned here from the superior, never taken from outside: they are the scopes of tokens. Moving a unit
moves all below it, each with a version of its own. Changes are made one after the other: of two at once, each would
reckon with the tree as it was, and they could put each of two units under the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from contracts.directory.v1.directory_pb2 import Unit
from contracts.topology import UNITS as UNITS_TOLD
from contracts.units import COLUMNS, UNITS_PER_MESSAGE, pack_units
from gateway.directory import rules
from gateway.directory.model import UNIT_VERSIONS
from gateway.directory.rules import UnitState
from gateway.identity.holders import tell_placed
from gateway.tables import UNITS
from kernel.access.principal import SYSTEM, Principal
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from kernel.text import one_line

LOCK = 0x46415A55  # apart from those of migrations, relays and upkeep
_STATE = tuple(UnitState.__dataclass_fields__)


class UnknownUnit(NotFound):
    """No such unit, or none within the caller's part of the tree."""

    code = "directory.unknown_unit"
    message = "单位目录中没有这个单位，请核对单位代码。"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a bulk load did, in numbers of units."""

    new: int
    changed: int
    same: int


class Directory:
    """The directory, as people and loaders use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(
        self, units: Iterable[UnitState], who: Principal = SYSTEM, *, reason: str = "批量导入"
    ) -> LoadReport:
        """
        Take over units, superiors before inferiors, all or none; what did not change is left alone.

        Streams: 500 units at a time, two statements each. Raises Invalid with the position of each fault.
        """
        new = changed = same = 0
        with self._store.work() as work:
            _wait_for_our_turn(work)
            paths: dict[str, str] = {}
            position = 0
            for batch in _batches(units, UNITS_PER_MESSAGE):
                known = _current(
                    work.session, {u.code for u in batch} | {u.parent for u in batch if u.parent}
                )
                paths.update({code: row.path for code, row in known.items() if code not in paths})
                states = _placed(batch, paths, position)
                fresh = [s for s in states if s[0].code not in known]
                moved = [s for s in states if s[0].code in known and not _is_same(known[s[0].code], *s)]
                versions = {code: row.version for code, row in known.items()}
                _record(work, [*fresh, *moved], versions, who, reason)
                old = {code: row.path for code, row in known.items()}
                tell_placed(work, [unit.code for unit, path in moved if old[unit.code] != path])
                new, changed, same = (
                    new + len(fresh),
                    changed + len(moved),
                    same + len(states) - len(fresh) - len(moved),
                )
                position += len(batch)
            work.audit(who, "units.loaded", f"units/{new + changed}")
            work.commit()
        return LoadReport(new, changed, same)

    def register(self, who: Principal, unit: UnitState, *, reason: str) -> None:
        """Enter a unit that is not there yet. Raises Conflict when its code was ever used."""
        with self._store.work() as work:
            _wait_for_our_turn(work)
            known = _current(work.session, {unit.code, unit.parent} - {""})
            if unit.code in known:
                raise Conflict("单位代码已被使用，请换用新的代码。", code="directory.code_taken")
            states = _placed([unit], {code: row.path for code, row in known.items()}, 0)
            _record(work, states, {}, who, reason)
            work.audit(who, "unit.registered", f"units/{unit.code}")
            work.commit()

    def revise(self, who: Principal, code: str, changes: Mapping[str, Any], *, reason: str) -> int:
        """
        Record a new version of a unit: rename, transfer to another superior, merge, dissolve.

        Returns how many units got a new version (a transfer takes everything below along).
        Raises UnknownUnit, and Invalid for a change that breaks a rule or makes a circle.
        """
        with self._store.work() as work:
            _wait_for_our_turn(work)
            row = _current(work.session, {code}).get(code)
            if row is None or not who.reaches(row.path):
                raise UnknownUnit()
            unit = replace(_state(row), **dict(changes))
            superior = _current(work.session, {unit.parent} - {""})
            unit, new_path = _placed([unit], {key: each.path for key, each in superior.items()}, 0)[0]
            if new_path != row.path and unit.parent and superior[unit.parent].path.startswith(row.path):
                raise _wrong("parent", "directory.circle", "单位不能划归自己的下级")
            if unit.successor and unit.successor not in _current(work.session, {unit.successor}):
                raise _wrong("successor", "directory.unknown_successor", "承接单位不在目录中")
            touched = [(unit, new_path)]
            versions = {code: row.version}
            if new_path != row.path:
                for below in _below(work.session, row.path):
                    touched.append((_state(below), new_path + below.path[len(row.path) :]))
                    versions[below.code] = below.version
            _record(work, touched, versions, who, reason)
            if new_path != row.path:
                tell_placed(work, [each.code for each, _ in touched])
            work.audit(who, "unit.revised", f"units/{code}", object_version=str(row.version + 1))
            work.commit()
        return len(touched)

    def publish_again(self, who: Principal = SYSTEM) -> int:
        """Tell every unit's current state again, for a service that rebuilds its copy; returns how many."""
        with self._store.work() as work:
            rows = work.session.execute(select(UNITS.table).order_by(UNITS.table.c.path)).fetchall()
            for body in pack_units(Unit(**_columns(row)) for row in rows):
                work.tell(UNITS_TOLD, body)
            work.audit(who, "units.published_again", f"units/{len(rows)}")
            work.commit()
        return len(rows)

    def path_of(self, code: str) -> str:
        """The path of a unit; raises UnknownUnit."""
        with self._store.reading() as session:
            row = _current(session, {code}).get(code)
        if row is None:
            raise UnknownUnit()
        return str(row.path)


def _wait_for_our_turn(work: Work) -> None:
    """Until `work` ends, nobody else changes the tree; SQLite lets one writer in at a time anyway."""
    if work.connection.dialect.name == "postgresql":
        work.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _placed(batch: Sequence[UnitState], paths: dict[str, str], position: int) -> list[tuple[UnitState, str]]:
    """Each unit with its path; notes the new paths. Raises Invalid naming every fault."""
    faults: list[Problem] = []
    placed = []
    for index, told in enumerate(batch, position + 1):
        unit = replace(told, name=one_line(told.name)) if one_line(told.name) != told.name else told
        faults += [
            Problem(f"[{index}].{p.path}", p.code, f"{unit.code}：{p.message}") for p in rules.problems(unit)
        ]
        if unit.parent and unit.parent not in paths:
            faults.append(
                Problem(f"[{index}].parent", "directory.unknown_parent", f"上级单位 {unit.parent} 不在目录中")
            )
            continue
        path = rules.path_under(paths.get(unit.parent, ""), unit.code)
        if len(path) > 500:
            faults.append(Problem(f"[{index}].parent", "directory.too_deep", "单位层级过深"))
        paths[unit.code] = path
        placed.append((unit, path))
    if faults:
        raise Invalid("单位目录有误，请按提示逐项修改后重新导入。", code="directory.invalid", problems=faults)
    return placed


def _record(
    work: Work,
    states: Sequence[tuple[UnitState, str]],
    versions: Mapping[str, int],
    who: Principal,
    reason: str,
) -> None:
    rows = [
        {**asdict(unit), "path": path, "version": versions.get(unit.code, 0) + 1} for unit, path in states
    ]
    write_rows(
        work.session,
        UNITS.table,
        rows,
        keys=("code",),
        on_conflict={name: "replace" for name in COLUMNS if name != "code"},
    )
    noted = {"recorded_at": work.clock.now(), "recorded_by": who.account, "reason": reason[:500]}
    write_rows(work.session, UNIT_VERSIONS, [{**row, **noted} for row in rows])
    for body in pack_units(Unit(**row) for row in rows):
        work.tell(UNITS_TOLD, body)


def _current(session: Session, codes: set[str]) -> dict[str, Row[Any]]:
    if not codes:
        return {}
    wanted = (
        "SELECT value AS code FROM json_array_elements_text(CAST(:codes AS json))"
        if session.get_bind().dialect.name == "postgresql"
        else "SELECT value AS code FROM json_each(:codes)"
    )
    rows = session.execute(
        text(f"SELECT u.* FROM units u JOIN ({wanted}) w ON w.code = u.code"),  # noqa: S608 - constants only
        {"codes": orjson.dumps(sorted(codes)).decode()},
    )
    return {row.code: row for row in rows}


def _below(session: Session, path: str) -> Sequence[Row[Any]]:
    table = UNITS.table
    inside = table.c.path.startswith(path, autoescape=True) & (table.c.path != path)
    return session.execute(select(table).where(inside).order_by(table.c.path)).fetchall()


def _state(row: Row[Any]) -> UnitState:
    return UnitState(**{name: getattr(row, name) for name in _STATE})


def _columns(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _is_same(row: Row[Any], unit: UnitState, path: str) -> bool:
    return _state(row) == unit and row.path == path


def _batches(units: Iterable[UnitState], size: int) -> Iterator[list[UnitState]]:
    rest = iter(units)
    while batch := list(islice(rest, size)):
        yield batch


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(f"{message}，请核对后再提交。", code=code, problems=[Problem(field, code, message)])
