"""Detection 弄虚作假线索识别: look for signs now, and the trial on planted truths."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from fazhi.commands.progress import console
from kernel.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="弄虚作假线索识别：查找线索，以及在植入真相上的检验。", no_args_is_help=True)
    group.command()(run)
    group.command()(trial)
    app.add_typer(group, name="detect")


def run(year: Annotated[str, typer.Argument(help="年度，如 2026")]) -> None:
    """查找线索，供人核查；不影响任何得分。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import build

    new = build(Runtime(Settings())).detection.look(year)
    console.print(f"新增线索 {new} 条，请督察员在“线索识别”页面核查。")


def trial(
    size: Annotated[str, typer.Option(help="演示省的规模：county、city、province")] = "city",
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    json: Annotated[Path | None, typer.Option("--json", help="把结果写成 JSON 文件")] = None,
) -> None:
    """在植入真相的演示数据上检验：查全率和误报。"""
    from fazhi import detecting
    from kernel.errors import Invalid

    if size not in ("county", "city", "province"):
        raise Invalid("规模应为 county、city、province 之一。", code="detect.size")
    found = detecting.trial(size, seed)
    table = Table("线索", "植入", "查出", "漏过", "误报", "无辜单位")
    for sign in found["signs"]:
        table.add_row(
            *(str(sign[name]) for name in ("kind", "planted", "found", "missed", "false_alarms", "innocent"))
        )
    console.print(table)
    if json is not None:
        json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
