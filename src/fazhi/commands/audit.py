"""Audit 审计: whether the audit logs are what they were, their checkpoints, and the keys that sign them (R51)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from kernel.access.principal import Principal
    from kernel.ledger.note import NoteKey
    from kernel.storage.audit_check import AuditCheck
    from kernel.storage.audit_seal import Sealed
    from kernel.storage.work import Store

MOST = 50
SERVICE = Annotated[str, typer.Argument(help="服务名；不写则为全部")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="审计日志：核验、取检查点、取公钥。", no_args_is_help=True)
    group.command()(verify)
    group.command()(checkpoint)
    group.command()(key)
    app.add_typer(group, name="audit")


def verify(
    service: SERVICE = "",
    signed_by: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            help="签署检查点的公钥（fazhi audit key 的输出），换过的旧钥匙一并写上：可多次，或以逗号分隔；不写则用本机的私钥推出",
        ),
    ] = None,
    kept: Annotated[
        Path | None, typer.Option(help="另外保存的检查点文件（fazhi audit checkpoint 的输出），与它比对")
    ] = None,
) -> None:
    """核验审计日志：指出被改动、被删除、被插入的每一条，并把结果记入日志；有问题时返回 1。"""
    from kernel.storage.audit_check import AuditCheck
    from kernel.storage.audit_seal import read_sealed

    known = [read_sealed(kept.read_text())] if kept else []
    wrong = 0
    for store in _stores(service):
        keys = _keys(store, signed_by or [])
        check = AuditCheck(store, keys, _of(store, known, keys))
        faults, first = 0, ""
        for fault in check.faults():
            faults, first = faults + 1, first or fault.kind
            if faults <= MOST:
                console.print(
                    f"{store.source}：{fault.said}  {fault.record}", style="red", markup=False, soft_wrap=True
                )
        unsigned = "" if keys else "（没有公钥，未核对检查点的签名）"
        said = f"发现 {faults} 处问题" if faults else "与写入时一致"
        console.print(
            f"{store.source}：审计日志 {check.records} 条、检查点 {check.checkpoints} 个，{said}{unsigned}",
            soft_wrap=True,
        )
        wrong += faults
        _record(store, check, faults, first)
    if wrong:
        raise typer.Exit(1)


def _record(store: "Store", check: "AuditCheck", faults: int, first: str) -> None:
    """Put the verdict on record; a log too damaged to be written to does not keep it from being told."""
    from sqlalchemy.exc import DBAPIError

    from kernel.errors import PlatformError
    from kernel.storage.audit_verdict import keep_verdict

    try:
        keep_verdict(store, _operator(), size=check.records, root=check.root, faults=faults, first=first)
    except (DBAPIError, PlatformError, RuntimeError) as error:
        console.print(
            f"{store.source}：核验结果没有记下（{type(error).__name__}），请另行保存以上内容。",
            style="yellow",
            soft_wrap=True,
        )


def _operator() -> "Principal":
    """Whoever runs commands here, as the machine knows him."""
    import getpass
    import os
    import socket

    from kernel.access.principal import SYSTEM, Principal

    try:
        person = getpass.getuser()
    except (KeyError, OSError):  # a container may have a number without a name
        person = f"uid {os.getuid()}"
    return Principal(account=SYSTEM.account, on_behalf_of=person[:100], address=socket.gethostname()[:64])


def _keys(store: "Store", written: list[str]) -> "list[NoteKey]":
    """The keys of this log among those given, oldest or newest first; without any, that of the own private key."""
    from kernel.errors import Invalid
    from kernel.ledger.note import read_key
    from kernel.storage.audit_seal import signer_of

    given = [read_key(one) for words in written for one in words.replace(",", " ").split()]
    if not given:
        return [signer_of(store).key] if store.audit.key is not None else []
    keys = [one for one in given if one.name == store.audit.origin]
    if not keys:
        raise Invalid(
            f"所给的公钥没有一把属于 {store.audit.origin}；请写明服务名，或补上它的公钥。",
            code="audit.other_key",
        )
    return keys


def _of(store: "Store", known: "list[Sealed]", keys: "list[NoteKey]") -> "list[Sealed]":
    """Checkpoints kept elsewhere, which must be of this log and signed."""
    from kernel.errors import Invalid
    from kernel.storage.audit_check import require_signed

    for each in known:
        if each.checkpoint.origin != store.audit.origin:
            raise Invalid(
                f"这个检查点属于 {each.checkpoint.origin}，不是 {store.audit.origin}；请写明服务名。",
                code="audit.other_log",
            )
        require_signed(keys, each.note)
    return known


def checkpoint(service: Annotated[str, typer.Argument(help="服务名")]) -> None:
    """写出最新的检查点；另外保存一份，日后可以证明此前的记录没有被改写。"""
    from kernel.errors import NotFound
    from kernel.storage.audit_seal import newest

    (store,) = _stores(service)
    with store.reading() as session:
        last = newest(session, store.spine)
    if last is None:
        raise NotFound("还没有检查点：后台进程每分钟封存一次。", code="audit.no_checkpoint")
    typer.echo(str(last.note), nl=False)


def key(service: Annotated[str, typer.Argument(help="服务名")]) -> None:
    """写出签署检查点的公钥，供别处核验。"""
    from kernel.storage.audit_seal import signer_of

    (store,) = _stores(service)
    typer.echo(str(signer_of(store).key))


def _stores(service: str) -> "list[Store]":
    from fazhi.services import NAMES, build
    from kernel.errors import NotFound
    from kernel.hosting.runtime import Runtime

    if service and service not in NAMES:
        raise NotFound(f"没有名为 {service} 的服务；可选：{'、'.join(NAMES)}。", code="audit.no_service")
    runtime = Runtime(Settings())
    return [build(name, runtime).app.store for name in ([service] if service else NAMES)]
