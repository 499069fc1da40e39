"""Imports of real input: legal texts and enforcement case files; with a report that names every fault."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fazhi.commands.progress import advancing, console, progress
from kernel.settings import Settings

if TYPE_CHECKING:
    from kernel.access.principal import Principal

LISTED = 50


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="导入法规文本、执法案件文件。", no_args_is_help=True)
    group.command()(laws)
    group.command()(enforcement)
    app.add_typer(group, name="import")


def laws(folder: Annotated[Path, typer.Argument(help="法规文本所在文件夹（Markdown、文本）")]) -> None:
    """导入法规文本；每个文件或者导入，或者列出未导入的原因。"""
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    service = build("legislation", Runtime(Settings()))
    service.migrate()
    with progress() as bars:
        moved = advancing(bars, "法规文本", None)
        seen = 0

        def step(done: int, _total: int) -> None:
            nonlocal seen
            moved(done - seen)
            seen = done

        report = service.app.intake.import_folder(_operator(), folder, step)
    with console.status("正在更新检索索引 …"):
        articles = service.app.rebuild_index()
    console.print(
        f"共 {len(report.files)} 个文件：导入 {report.count('imported')}，未变 {report.count('unchanged')}，"
        f"未导入 {report.count('refused')}；检索索引 {articles} 条"
    )
    refused = [file for file in report.files if file.outcome == "refused"]
    for file in refused:
        console.print(f"  {file.name}  {file.reason}  ({file.code})", markup=False, soft_wrap=True)
    raise typer.Exit(1 if refused and not report.count("imported") + report.count("unchanged") else 0)


def enforcement(
    file: Annotated[Path, typer.Argument(help="双公示案件文件（CSV、XLSX；UTF-8 或 GBK）")],
) -> None:
    """导入执法案件文件：先逐行检查，全部合格才导入，否则一行也不导入并列出每处问题。"""
    from fazhi.services import build
    from kernel.errors import Invalid
    from kernel.hosting.runtime import Runtime

    if not file.is_file():
        raise Invalid(f"找不到文件 {file}，请核对路径。", code="import.no_file")
    service = build("enforcement", Runtime(Settings()))
    service.migrate()
    with progress() as bars:
        tasks: dict[str, object] = {}

        def step(title: str, done: int) -> None:
            task = tasks.setdefault(title, bars.add_task(title, total=None))
            bars.update(task, completed=done)  # type: ignore[arg-type]

        report = service.app.cases.import_file(_operator(), file, progress=step)
    if report.already_imported:
        console.print(f"这份文件已导入过（{report.rows} 行），未重复导入。")
        return
    for notice in report.notices[:LISTED]:
        console.print(f"  提示  {notice.message}", markup=False, soft_wrap=True)
    if report.fault_count:
        _print_faults(report.faults, report.fault_count)
        raise typer.Exit(1)
    console.print(f"已导入 {report.rows} 行；计分事件由后台进程送达考核。")


def _print_faults(faults: list[object], count: int) -> None:
    table = Table("行", "列", "问题", "代码", "值")
    for fault in faults[:LISTED]:
        cells = (getattr(fault, name, "") for name in ("row", "column", "message", "code", "value"))
        table.add_row(*(str(cell) for cell in cells))
    console.print(table)
    console.print(f"共 {count} 处问题，一行也未导入。请逐处修改后重新导入。")


def _operator() -> "Principal":
    """Who runs the command line: the installation's operator, who reaches every unit."""
    from contracts.roles import UNIT_HEAD
    from kernel.access.principal import Principal

    return Principal(account="operator", unit_path="/", roles=frozenset({UNIT_HEAD}))
