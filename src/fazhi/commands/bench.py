"""Benches 评测: numbers beside a peer doing the same work in the same run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.table import Table

from fazhi.commands.progress import advancing, console, progress

if TYPE_CHECKING:
    from fazhi.bench.events import Result

JSON = Annotated[Path | None, typer.Option("--json", help="把结果写成 JSON 文件")]
SEED = Annotated[int, typer.Option(help="随机种子")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        help="评测：在本机的 RabbitMQ 和 PostgreSQL 上，与同类实现同场比较。", no_args_is_help=True
    )
    group.command()(events)
    group.command()(rebuild)
    group.command()(rollup)
    group.command()(ranking)
    app.add_typer(group, name="bench")


def events(
    json: JSON = None,
    number: Annotated[
        int, typer.Option("--events", min=100, help="每轮的事件数（逐条处理者按比例减少）")
    ] = 30_000,
    per_message: Annotated[int, typer.Option(min=1, max=100, help="一条消息携带的事件数")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="轮数，取中位数")] = 3,
    seed: SEED = 1,
    only: Annotated[str, typer.Option(help="只评测这些，以逗号分隔")] = "",
) -> None:
    """每秒有多少计分事件从发件箱到达已提交的聚合，与同类实现同场比较。"""
    from fazhi.bench.events import CONTENDERS, NAMES, report, run
    from fazhi.bench.room import open_room

    wanted = only.split(",") if only else NAMES
    if unknown := sorted(set(wanted) - set(NAMES)):
        console.print(f"没有名为 {'、'.join(unknown)} 的参评者；可选：{'、'.join(NAMES)}")
        raise typer.Exit(2)
    contenders = [each for each in CONTENDERS if each.name in wanted]
    for missing in (each for each in contenders if not each.is_installed):
        console.print(f"[yellow]缺少 {missing.needs}，{missing.name} 不参评；见 requirements/develop.txt[/]")
    present = [each for each in contenders if each.is_installed]
    console.print("正在启动 RabbitMQ 和 PostgreSQL …")
    with open_room() as room, progress() as bars:
        advance = advancing(bars, "评测", len(present) * rounds)

        def told(line: str) -> None:
            console.print(f"  {line} 事件/秒")
            advance(1)

        results = run(
            room,
            present,
            events=number,
            per_message=per_message,
            seed=seed,
            rounds=rounds,
            done=told,
        )
        found = report(results, room.versions())
    _print_events(results)
    _write(json, found)


def rebuild(
    json: JSON = None,
    number: Annotated[int, typer.Option("--events", min=1000, help="事件数")] = 1_000_000,
    seed: SEED = 1,
) -> None:
    """从事件日志重建全部投影：先用十分之一的事件，再用全部，看是否线性。"""
    from fazhi.bench import rebuild as bench
    from fazhi.bench.events import machine
    from fazhi.bench.room import open_room

    with console.status(f"正在启动服务器、装入 {number:,} 个事件并重建 …"), open_room() as room:
        results = bench.run(room, number, seed)
    table = Table("事件", "秒", "事件/秒", "计数", "得分", "本进程内存峰值 MB", "PostgreSQL 后端峰值 MB")
    for each in bench.report(results):
        table.add_row(
            f"{each['events']:,}",
            f"{each['seconds']:.1f}",
            f"{each['events_per_second']:,.0f}",
            f"{each['states']:,}",
            f"{each['scores']:,}",
            f"{each['peak_mb']:.0f}",
            f"{each['postgresql_peak_mb'] or 0:.0f}",
        )
    console.print(table)
    _write(json, {"results": bench.report(results), "machine": machine()})


def rollup(
    json: JSON = None,
    units: Annotated[int, typer.Option(min=200, help="单位数")] = 8300,
) -> None:
    """全省汇总一次要多久；一个单位的变化多久可见。"""
    from fazhi.bench import roll_up as bench
    from fazhi.bench.events import machine
    from fazhi.bench.room import open_room

    with console.status(f"正在启动服务器并汇总 {units:,} 个单位 …"), open_room() as room:
        found = bench.run(room, units)
    console.print(
        f"{found.units:,} 个单位 × {found.results} 项结果（{found.states:,} 条计数）全部汇总 {found.seconds:.1f} 秒，"
        f"内存峰值 {found.peak_mb:.0f} MB；一个单位的一次变化 {found.change_milliseconds:.0f} 毫秒后可见"
    )
    _write(json, {"results": [bench.report(found)], "machine": machine()})


def ranking(
    json: JSON = None,
    number: Annotated[int, typer.Option("--events", min=10_000, help="事件数")] = 1_000_000,
    seed: SEED = 1,
) -> None:
    """排名、区间、解释、截至、假设、重放各要多久：先用十分之一的单位和事件，再用全部；与 DuckDB 同场。"""
    from fazhi.bench import ranking as bench
    from fazhi.bench.events import machine
    from fazhi.bench.room import open_room

    with console.status(f"正在启动服务器、装入 {number:,} 个事件并提问 …"), open_room() as room:
        found = bench.report(bench.run(room, number, seed))
    table = Table("问题（秒）", *(f"{each['events']:,} 事件 {each['units']:,} 单位" for each in found))
    for name in found[0]:
        if isinstance(found[0][name], float):
            table.add_row(name, *(f"{each[name]:.3f}" for each in found))
    console.print(table)
    _write(json, {"results": found, "machine": machine()})


def _print_events(results: Sequence["Result"]) -> None:
    from fazhi.bench.events import LIMIT, STOCK

    middles = {result.contender.name: result.middle for result in results}
    table = Table("参评者", "事件/秒", "最低", "最高", "× 原生 nameko", "÷ 无总线 SQL")
    for column in table.columns[1:]:
        column.justify = "right"
    ranked = sorted(results, key=lambda each: -each.middle)
    for result in ranked:
        table.add_row(
            result.contender.name,
            f"{result.middle:,.0f}",
            f"{min(result.rounds):,.0f}",
            f"{max(result.rounds):,.0f}",
            f"{result.middle / middles[STOCK]:.1f}" if STOCK in middles else "-",
            f"{result.middle / middles[LIMIT]:.2f}" if LIMIT in middles else "-",
        )
    console.print(table)
    for result in ranked:
        console.print(f"  {result.contender.name}：{result.contender.does}", style="dim")


def _write(json: Path | None, found: dict[str, Any]) -> None:
    if json is not None:
        json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
        console.print(f"结果已写入 {json}")
