"""Maintenance: migrating databases, keeping outboxes, rebuilding what can be rebuilt."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from fazhi.commands.reconcile import reconcile
from kernel.settings import Settings

if TYPE_CHECKING:
    from kernel.storage.db import Database


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(migrate)
    app.command()(maintain)
    app.command()(reconcile)
    app.command()(rebuild)


def migrate(
    service: Annotated[str, typer.Argument(help="服务名；不写则为全部")] = "",
    check: Annotated[bool, typer.Option("--check", help="只检查是否为最新，不改动")] = False,
) -> None:
    """把数据库升级到最新版本，并给服务的角色授权（设了 FAZHI_OWNER_URL 时）；可以重复执行。"""
    from fazhi.services import NAMES, build
    from kernel.hosting.runtime import Runtime

    settings = Settings()
    runtime = Runtime(settings, as_owner=not check)
    behind = []
    for name in [service] if service else NAMES:
        found = build(name, runtime)
        if check:
            if not found.is_migrated():
                behind.append(name)
            continue
        found.migrate()
        said = _grant(found.app.store.database, settings, name) if settings.owner_url else ""
        console.print(f"{found.title}（{name}）数据库已是最新版本{said}", soft_wrap=True)
    if behind:
        console.print(f"需要升级：{'、'.join(behind)}；请运行 fazhi migrate")
        raise typer.Exit(1)


def _grant(database: "Database", settings: Settings, name: str) -> str:
    """Bind the service's role, and say so."""
    from sqlalchemy.engine import make_url

    from kernel.errors import Invalid
    from kernel.storage.ownership import grant

    role = make_url(settings.database_url_of(name)).username
    if not role:
        raise Invalid("FAZHI_DATABASE_URL 没有写明服务的角色，无法授权。", code="platform.no_such_role")
    grant(database, role)
    return f"，角色 {role} 只有所需的权限"


def maintain(
    service: Annotated[str, typer.Argument(help="服务名；不写则为全部")] = "",
) -> None:
    """保养发件箱：建好以后各月的分区，整月删除期满且已全部发出的；表归服务自己时，后台进程每小时也做一次。"""
    from fazhi.services import NAMES, build
    from kernel.hosting.runtime import Runtime
    from kernel.storage.retention import keep_outbox

    runtime = Runtime(Settings(), as_owner=True)
    for name in [service] if service else NAMES:
        found = build(name, runtime)
        done = keep_outbox(found.app.store)
        console.print(
            f"{found.title}（{name}）：新建 {len(done.made)} 个分区，"
            f"删除 {len(done.dropped)} 个{_named(done.dropped)}，"
            f"因有未发出的事实而保留 {len(done.held)} 个{_named(done.held)}",
            soft_wrap=True,
        )


def _named(partitions: Sequence[str]) -> str:
    return f"（{'、'.join(partitions)}）" if partitions else ""


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
