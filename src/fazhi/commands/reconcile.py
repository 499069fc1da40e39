"""Reconciliation 对账: what the sources told against what assessment has, and telling again what was lost."""

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from fazhi.reconcile import Hour

LISTED = 50


def reconcile(
    hours: Annotated[int, typer.Option("--hours", help="比对最近多少小时", min=1)] = 24,
    everything: Annotated[bool, typer.Option("--all", help="比对发件箱仍保留的全部")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="补发考核没有的事件")] = False,
) -> None:
    """对账：逐小时比对来源告知的与考核收到的计分事件，一致退出码为 0，有差异为 1；重复补发不会重复计分。"""
    from fazhi import reconcile as work
    from fazhi.services import TITLES, build, package_of
    from kernel.hosting.runtime import Runtime

    runtime = Runtime(Settings())
    log = build("assessment", runtime).app.store
    since = work.EVER if everything else runtime.clock.now() - timedelta(hours=hours)
    differs = False
    for name in work.SOURCES:
        source = build(name, runtime).app.store
        found = 0
        for hour in work.reconcile(source, log, since):
            found += not hour.waiting
            _print(hour)
            if resend and hour.missing:
                messages = work.resend(source, hour)
                console.print(f"  已补发 {messages} 条消息，由后台进程送达")
        if everything:
            findings = import_module(f"{package_of(name)}.tables").FINDINGS.table
            lost = list(work.lost_findings(source, log, findings))
            _print_ids("早于保留期、无法补发（须由该服务重新认定）", lost)
            found += bool(lost)
        if not found:
            console.print(f"{TITLES[name]}（{name}）：一致")
        differs = differs or found > 0
    raise typer.Exit(1 if differs else 0)


def _print(hour: "Hour") -> None:
    at = f"{hour.source} {hour.at:%Y-%m-%dT%H}:00Z"
    if hour.waiting:
        console.print(f"{at}  尚有未发出的事实，下次再比对")
        return
    console.print(f"{at}  告知 {hour.told}，入账 {hour.logged}", soft_wrap=True)
    _print_ids("缺", hour.missing)
    _print_ids("隔离中", hour.held)
    _print_ids("来源没有告知过", hour.unknown)


def _print_ids(what: str, ids: Sequence[str]) -> None:
    if not ids:
        return
    console.print(f"  {what} {len(ids)} 个：", soft_wrap=True)
    for event_id in ids[:LISTED]:
        console.print(f"    {event_id}", markup=False)
    if len(ids) > LISTED:
        console.print(f"    … 另有 {len(ids) - LISTED} 个")
