"""
Units 单位目录: loading the directory from a file. A new installation has none, and no account can be without one.

The columns are those that `fazhi demo --export` writes to units.csv; paths and versions are reckoned, never read.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from gateway.directory.rules import UnitState

REQUIRED = ("code", "name", "kind", "level", "parent", "region_code", "valid_from")
OPTIONAL = ("credit_code", "field", "valid_to", "successor")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="单位目录：从文件导入。", no_args_is_help=True)
    group.callback()(lambda: None)  # a group stays a group with one command
    group.command()(load)
    app.add_typer(group, name="units")


def load(file: Annotated[Path, typer.Argument(help="单位目录文件（CSV，UTF-8），上级写在下级之前")]) -> None:
    """导入单位目录：全部合格才导入；重复导入时只记录有变化的单位。"""
    from fazhi.services import build
    from kernel.access.principal import Principal
    from kernel.errors import Invalid
    from kernel.hosting.runtime import Runtime

    if not file.is_file():
        raise Invalid(f"找不到文件 {file}，请核对路径。", code="directory.no_file")
    directory = build("gateway", Runtime(Settings())).app.directory
    report = directory.load(_units(file), Principal(account="operator"), reason=f"导入 {file.name}")
    console.print(
        f"新增 {report.new} 个单位，变更 {report.changed} 个，未变 {report.same} 个；由网关的后台进程告知各服务。"
    )


def _units(file: Path) -> Iterator["UnitState"]:
    """The rows of a file. Raises Invalid for a missing column or a word that is not in the list."""
    from contracts.directory.v1.directory_pb2 import UnitKind, UnitLevel
    from gateway.directory.rules import UnitState
    from kernel.errors import Invalid

    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            if missing := [name for name in REQUIRED if name not in (rows.fieldnames or ())]:
                raise Invalid(
                    f"缺少列：{'、'.join(missing)}，请补上后重新导入。", code="directory.missing_columns"
                )
            for row in rows:
                said = {name: row.get(name) or "" for name in (*REQUIRED, *OPTIONAL)}
                kind = UnitKind.Value(f"UNIT_KIND_{said.pop('kind').upper()}")
                level = UnitLevel.Value(f"UNIT_LEVEL_{said.pop('level').upper()}")
                yield UnitState(kind=kind, level=level, **said)
        except ValueError as error:
            raise Invalid(
                f"第 {rows.line_num} 行的单位类别、层级或编码无法识别，请核对后重新导入。",
                code="directory.bad_row",
            ) from error
