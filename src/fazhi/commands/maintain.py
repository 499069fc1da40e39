"""Maintenance: migrating databases, rebuilding what can be rebuilt."""

import time
from typing import Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(migrate)
    app.command()(rebuild)


def migrate(
    service: Annotated[str, typer.Argument(help="服务名；不写则为全部")] = "",
    check: Annotated[bool, typer.Option("--check", help="只检查是否为最新，不改动")] = False,
) -> None:
    """把数据库升级到最新版本；可以重复执行。"""
    from fazhi.services import NAMES, build
    from kernel.hosting.runtime import Runtime

    runtime = Runtime(Settings())
    behind = []
    for name in [service] if service else NAMES:
        found = build(name, runtime)
        if check:
            if not found.is_migrated():
                behind.append(name)
            continue
        found.migrate()
        console.print(f"{found.title}（{name}）数据库已是最新版本")
    if behind:
        console.print(f"需要升级：{'、'.join(behind)}；请运行 fazhi migrate")
        raise typer.Exit(1)


def rebuild() -> None:
    """丢弃考核的全部投影，从计分事件日志重建；并重建法规检索索引。"""
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    runtime = Runtime(Settings())
    started = time.monotonic()
    with console.status("正在从事件日志重建 …"):
        done = build("assessment", runtime).app.rebuild()
    console.print(
        f"已从 {done.events} 个事件重建 {done.states} 条计数、{done.scores} 个得分，"
        f"用时 {time.monotonic() - started:.1f} 秒"
    )
    legislation = build("legislation", runtime).app
    with console.status("正在重建法规检索索引 …"):
        articles = legislation.rebuild_index()
    console.print(f"已重建 {articles} 条法规条文的检索索引")
