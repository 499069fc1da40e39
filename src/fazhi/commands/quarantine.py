"""Quarantine 隔离区: what could not be taken; an operator looks, releases or refuses."""

from typing import Annotated

import typer
from rich.table import Table

from fazhi.commands.progress import console
from kernel.settings import Settings

ENTRY = Annotated[str, typer.Argument(help="隔离区条目编号")]
SERVICE = Annotated[str, typer.Argument(help="服务名")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="隔离区：查看、放行、拒收无法处理的消息。", no_args_is_help=True)
    group.command("list")(list_entries)
    group.command()(release)
    group.command()(refuse)
    app.add_typer(group, name="quarantine")


def list_entries(service: SERVICE, limit: int = 50) -> None:
    """列出隔离中的消息。"""
    from kernel.storage import quarantine

    store = _store(service)
    table = Table("编号", "来源", "名称", "原因", "代码", "隔离时间", "字节")
    with store.reading() as session:
        for held in quarantine.entries(session, store, limit=limit):
            at = held.held_at.astimezone().isoformat(timespec="seconds")
            table.add_row(held.id, held.source, held.name, held.reason, held.code, at, str(len(held.raw)))
    console.print(table)


def release(service: SERVICE, entry: ENTRY) -> None:
    """修复后放行：消息重新交给原来的处理环节，仍只计一次。"""
    from fazhi.release import release as release_entry

    release_entry(_store(service), service, entry)
    console.print("已放行并处理。")


def refuse(service: SERVICE, entry: ENTRY) -> None:
    """拒收：保留原始字节与原因，不再处理。"""
    from kernel.access.principal import Principal
    from kernel.storage import quarantine

    with _store(service).work() as work:
        quarantine.settle(work, Principal(account="operator"), entry, state="refused")
        work.commit()
    console.print("已拒收。")


def _store(service: str):  # type: ignore[no-untyped-def]
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    return build(service, Runtime(Settings())).app.store
