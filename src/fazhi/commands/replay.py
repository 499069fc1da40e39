"""Replay 重放: a period under another framework, made at once and written to a file; nothing kept is touched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fazhi.commands.progress import console
from kernel.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(replay)


def replay(
    framework: Annotated[
        str, typer.Option(help="已发布的版本（编码@版本，如 outline-2015-2020@1），或 YAML 文件")
    ],
    period: Annotated[str, typer.Option(help="年度（2026）或月份（2026-09）")],
    upto: Annotated[str, typer.Option(help="年初至该月（2026-09）")] = "",
    json: Annotated[Path | None, typer.Option("--json", help="把影响分析写成 JSON 文件")] = None,
) -> None:
    """按另一套指标体系重放一个考核期，给出影响分析；不改动任何现有结果。"""
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import Assessment
    from services.assessment.replay.report import row_of, summary

    app: Assessment = build("assessment", Runtime(Settings())).app
    chosen = app.replays.chosen(*_source(framework))
    question = app.replays.question(chosen, period, upto)
    with console.status("正在重放 …") as status:

        def advance(done: int, total: int) -> None:
            status.update(f"正在重放 … {done:,} / {total:,}")

        made = app.replays.make(question, advance)
    found: dict[str, Any] = {
        "framework": f"{chosen.id}@{chosen.version}",
        "baseline": f"{question.baseline.id}@{question.baseline.version}",
        "period": question.window.text,
        "at_seq": question.known.seq,
        "summary": [summary(board, impacts) for board, impacts in made],
        "groups": {board.group.id: [row_of(impact) for impact in impacts] for board, impacts in made},
    }
    for group in found["summary"]:
        console.print(
            f"{group['peer_group']['title']}：{group['ranked']} 个单位有名次，{group['moved']} 个名次变动，"
            f"平均变动 {group['mean_shift'] or 0} 位，{group['other_tier']} 个换档；"
            f"{len(group['results_without_data'])} 项成果没有数据",
            soft_wrap=True,
        )
    if json is not None:
        json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
        console.print(f"结果已写入 {json}")


def _source(framework: str) -> tuple[str, str, str, Mapping[str, Any] | None]:
    """A published version by its name, or the document of a file."""
    from kernel import catalog

    path = Path(framework)
    if path.suffix in (".yaml", ".yml"):
        return "", "", "", catalog.read(path).data
    name, _, version = framework.partition("@")
    return name, version, "", None
