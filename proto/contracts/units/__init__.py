"""
Local copy of the directory 单位目录副本: what every service knows of units without asking anybody.

The gateway tells whole units with a version; a higher version replaces a lower one, in whatever order they
arrive. A service adds `UnitCopy` to its metadata, hears its DIRECTORY queue with `read_units`, and hands the
items to `apply`.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Column, Connection, Index, Integer, MetaData, String, Table

from contracts.decoding import decoded
from contracts.directory.v1.directory_pb2 import Unit, Units
from contracts.topology import UNITS
from kernel.messages import Item, Message, Refused
from kernel.storage.setwise import write_rows
from kernel.storage.types import BigInt
from kernel.storage.work import Work

UNITS_PER_MESSAGE = 500
COLUMNS = (
    "code",
    "name",
    "kind",
    "level",
    "parent",
    "path",
    "region_code",
    "credit_code",
    "field",
    "valid_from",
    "valid_to",
    "successor",
    "version",
)


class UnitCopy:
    """The `units` table of one service."""

    def __init__(self, metadata: MetaData) -> None:
        self.table = Table(
            "units",
            metadata,
            Column("code", String(100), primary_key=True),
            Column("name", String(200), nullable=False),
            Column("kind", Integer, nullable=False),
            Column("level", Integer, nullable=False),
            Column("parent", String(100), nullable=False),
            Column("path", String(500), nullable=False),
            Column("region_code", String(12), nullable=False),
            Column("credit_code", String(18), nullable=False),
            Column("field", String(50), nullable=False),
            Column("valid_from", String(10), nullable=False),
            Column("valid_to", String(10), nullable=False),
            Column("successor", String(100), nullable=False),
            Column("version", BigInt, nullable=False),
            comment="local copy of the gateway's directory; rebuilt from its facts",
        )
        Index("ix_units_path", self.table.c.path)
        Index("ix_units_credit_code", self.table.c.credit_code)

    def apply(self, work: Work, items: Sequence[Item]) -> None:
        """Take over units told by the gateway, in one statement."""
        newest: dict[str, Unit] = {}
        for item in items:
            unit = item.value
            assert isinstance(unit, Unit)
            if unit.code not in newest or newest[unit.code].version < unit.version:
                newest[unit.code] = unit
        write_rows(
            work.session,
            self.table,
            [{name: getattr(unit, name) for name in COLUMNS} for unit in newest.values()],
            keys=("code",),
            on_conflict={name: "replace" for name in COLUMNS if name != "code"},
            only_if="excluded.version > old.version",
        )


def read_units(message: Message) -> Sequence[Item | Refused]:
    """The units of a message as inbox items."""
    units = decoded(message, Units, "单位目录", UNITS).units
    return [_item(unit, message.source) for unit in units]


def pack_units(units: Iterable[Unit]) -> Iterator[bytes]:
    """Message bodies that carry these units."""
    waiting: list[Unit] = []
    for unit in units:
        waiting.append(unit)
        if len(waiting) == UNITS_PER_MESSAGE:
            yield Units(units=waiting).SerializeToString(deterministic=True)
            waiting = []
    if waiting:
        yield Units(units=waiting).SerializeToString(deterministic=True)


def create_units_v1(connection: Connection) -> None:
    """The copy's table as of its first version, for migrations."""
    metadata = MetaData()
    UnitCopy(metadata)
    metadata.create_all(connection, checkfirst=True)


def _item(unit: Unit, source: str) -> Item | Refused:
    raw = unit.SerializeToString(deterministic=True)
    if not unit.code or not unit.name or not unit.path or unit.version < 1:
        alone = Units(units=[unit]).SerializeToString(deterministic=True)
        return Refused(source, alone, "contracts.missing_field", "单位缺少代码、名称、路径或版本")
    return Item(source, f"{unit.code}/{unit.version}", raw, unit)
