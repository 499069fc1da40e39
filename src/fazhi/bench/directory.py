"""A directory of units for benches: cities, counties, and departments under them, as a province has them."""

from collections.abc import Iterable, Iterator

from contracts.directory.v1.directory_pb2 import Unit, UnitKind, UnitLevel
from kernel.ids import new_id
from kernel.messages import Item
from kernel.storage.work import Store
from services.assessment.tables import UNITS

CITIES, COUNTIES = 12, 103


def province(units: int) -> Iterator[Unit]:
    """So many units: governments of cities and counties first, then departments of the counties in turn."""
    for number in range(units):
        if number < CITIES:
            yield _unit(f"15{number:02d}", "/15/", UnitKind.UNIT_KIND_GOVERNMENT, UnitLevel.UNIT_LEVEL_CITY)
        elif number < CITIES + COUNTIES:
            above = f"/15/15{number % CITIES:02d}/"
            yield _unit(f"15{number:04d}", above, UnitKind.UNIT_KIND_GOVERNMENT, UnitLevel.UNIT_LEVEL_COUNTY)
        else:
            county = CITIES + number % COUNTIES
            above = f"/15/15{county % CITIES:02d}/15{county:04d}/"
            yield department(f"15{county:04d}-{number}", above)


def department(code: str, above: str = "/15/1501/") -> Unit:
    """A county department."""
    return _unit(code, above, UnitKind.UNIT_KIND_DEPARTMENT, UnitLevel.UNIT_LEVEL_COUNTY)


def enter(store: Store, units: Iterable[Unit]) -> None:
    """Put units into assessment's copy of the directory."""
    items = [Item("gateway", new_id(), b"", unit) for unit in units]
    with store.work() as work:
        UNITS.apply(work, items)
        work.commit()


def _unit(code: str, above: str, kind: UnitKind, level: UnitLevel) -> Unit:
    return Unit(
        code=code,
        name=f"单位{code}",
        kind=kind,
        level=level,
        parent=above.rstrip("/").rsplit("/", 1)[-1],
        path=f"{above}{code}/",
        region_code="150102",
        valid_from="2020-01-01",
        version=1,
    )
