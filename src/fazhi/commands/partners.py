"""Partners 外部系统: entering one, giving it a signing key, taking keys back. For the installation's operator."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from gateway.app import Gateway
    from kernel.access.principal import Principal

SYSTEM = Annotated[str, typer.Argument(help="外部系统代码，与 catalog/links 中的 system 相同")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="外部系统：登记、发放和撤销签名密钥。", no_args_is_help=True)
    group.command()(add)
    group.command()(key)
    group.command()(revoke)
    app.add_typer(group, name="partners")


def add(
    system: SYSTEM,
    answer_url: Annotated[str, typer.Option(help="办理结果回送地址；不写则放入对方的虚拟主机")] = "",
    answer_networks: Annotated[str, typer.Option(help="回送地址在内网时，允许的网段，逗号分隔")] = "",
    bus_user: Annotated[str, typer.Option(help="对方在消息总线上的账号，默认与代码相同")] = "",
) -> None:
    """登记一个外部系统，或修改它的回送地址。"""
    from kernel.errors import NotFound

    gateway = _gateway()
    link = gateway.links.get(system)
    if link is None:
        raise NotFound(
            f"catalog/links 中没有 {system}；可选：{'、'.join(sorted(gateway.links))}。",
            code="partners.no_link",
        )
    gateway.partners.register(
        _operator(),
        system,
        title=link.title,
        answer_url=answer_url,
        answer_networks=answer_networks,
        bus_user=bus_user,
    )
    console.print(f"已登记 {link.title}（{system}）。")


def key(
    system: SYSTEM,
    to: Annotated[Path | None, typer.Option(help="写入新文件（仅本人可读），不在屏幕上显示")] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="此日零时（北京时间）起失效")
    ] = None,
) -> None:
    """发放一把新的签名密钥，与原有的并行有效；密钥只显示这一次。"""
    from kernel.clock import start_of_day
    from kernel.errors import Conflict

    if to is not None and to.exists():
        raise Conflict(f"{to} 已存在，未发放密钥，请换一个文件名。", code="partners.file_exists")
    not_after = start_of_day(until.date()) if until else None
    if to is None:
        typer.echo(_gateway().partners.add_key(_operator(), system, not_after=not_after))
        return
    # The file is there before the key is: a key that could not be written down would be valid and lost.
    to.touch(mode=0o600, exist_ok=False)
    try:
        to.write_text(_gateway().partners.add_key(_operator(), system, not_after=not_after) + "\n")
    except BaseException:
        to.unlink()
        raise
    console.print(f"新密钥已写入 {to}，请交给对方后删除。")


def revoke(
    system: SYSTEM,
    keep: Annotated[int, typer.Option(min=0, help="保留最新的几把")] = 0,
) -> None:
    """立即撤销一个外部系统的密钥，最新的几把除外。"""
    count = _gateway().partners.revoke_keys(_operator(), system, keep=keep)
    console.print(f"已撤销 {system} 的 {count} 把密钥。")


def _operator() -> "Principal":
    from kernel.access.principal import Principal

    return Principal(account="operator")


def _gateway() -> "Gateway":
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    gateway: Gateway = build("gateway", Runtime(Settings())).app
    return gateway
