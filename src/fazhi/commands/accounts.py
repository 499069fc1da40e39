"""
Accounts 账号: the three administrators 三员 of a new installation; everybody else is made by them in the console. And the
way out when the only security administrator lost the second factor, with nobody left to decide on its removal. Who holds
which role is told to the services as it changes; `tell-again` tells all of it once more.

Passwords come from the terminal or from a file that nobody else may read, never from arguments: arguments are seen
by everybody on the machine and kept in the shell's history.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings, read_secret

if TYPE_CHECKING:
    from gateway.app import Gateway

Person = tuple[str, str]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        help="账号：建立第一批三员账号；安全管理员的验证器遗失时解绑；重新告知任职授权。",
        no_args_is_help=True,
    )
    group.command()(establish)
    group.command(name="remove-factor")(remove_factor)
    group.command(name="tell-again")(tell_again)
    app.add_typer(group, name="accounts")


def establish(
    unit: Annotated[str, typer.Argument(help="三员所属单位的代码，应已在单位目录中")],
    system: Annotated[Person, typer.Option("--system", help="系统管理员：账号 姓名")],
    security: Annotated[Person, typer.Option("--security", help="安全管理员：账号 姓名")],
    audit: Annotated[Person, typer.Option("--audit", help="审计管理员：账号 姓名")],
    passwords: Annotated[
        Path | None, typer.Option(help="口令文件：三行，依次为系统、安全、审计管理员；不写则在终端输入")
    ] = None,
) -> None:
    """建立系统、安全、审计三员账号；只能在没有任何账号时执行一次。"""
    from contracts.roles import AUDIT_ADMIN, SECURITY_ADMIN, SYSTEM_ADMIN, TITLES
    from gateway.identity.accounts import DutiesExclude, FirstAccount

    people = {SYSTEM_ADMIN: system, SECURITY_ADMIN: security, AUDIT_ADMIN: audit}
    names = [account for account, _ in people.values()]
    _check_names(names)
    if len(set(names)) < len(names):
        raise DutiesExclude()
    gateway = _gateway()
    gateway.directory.path_of(unit)
    titles = [f"{TITLES[role]} {account}" for role, (account, _) in people.items()]
    given = _from_file(passwords, len(people)) if passwords is not None else _from_terminal(titles)
    gateway.accounts.establish(
        [
            FirstAccount(account=account, name=name, unit=unit, roles=(role,), password=password)
            for (role, (account, name)), password in zip(people.items(), given, strict=True)
        ]
    )
    console.print(f"已建立：{'、'.join(titles)}。其他账号由系统管理员建立，授权由安全管理员批准。")


def remove_factor(
    account: Annotated[str, typer.Argument(help="账号")],
    reason: Annotated[str, typer.Option(help="怎样核实了本人身份、为何解绑；写入审计")],
) -> None:
    """解除一个账号的双因素绑定：只用于唯一的安全管理员遗失验证器又没有恢复码；其他人由页面上两人办理。"""
    _gateway().removals.by_operator(account.strip().lower(), reason=reason)
    console.print(f"已解除 {account} 的双因素绑定，登录已全部退出；下次登录须重新绑定。此事已写入审计。")


def tell_again() -> None:
    """把每个账号的任职授权重新告知各服务：某个服务的副本要重建，或者网关从旧备份恢复之后使用。"""
    from kernel.access.principal import Principal

    told = _gateway().holders.tell_again(Principal(account="operator"))
    console.print(f"已重新告知 {told} 个账号的任职授权，由网关的后台进程送达各服务。")


def _check_names(names: list[str]) -> None:
    from gateway.identity.rules import is_account_name
    from kernel.errors import Invalid

    if wrong := [name for name in names if not is_account_name(name)]:
        raise Invalid(
            f"账号 {'、'.join(wrong)} 不符合要求：应为 2 至 64 位小写字母、数字和 . _ -。",
            code="identity.bad_account",
        )


def _from_file(path: Path, count: int) -> list[str]:
    from kernel.errors import Invalid

    if not path.is_file():
        raise Invalid(f"找不到口令文件 {path}，请核对路径。", code="identity.no_password_file")
    try:
        lines = read_secret(path).splitlines()
    except PermissionError as error:
        raise Invalid(
            f"口令文件他人可读，请先执行 chmod 600 {path}。", code="identity.open_password_file"
        ) from error
    if len(lines) != count:
        raise Invalid(f"口令文件应为 {count} 行，每行一个口令。", code="identity.bad_password_file")
    return lines


def _from_terminal(titles: list[str]) -> list[str]:
    from kernel.errors import Invalid

    if not sys.stdin.isatty():
        raise Invalid("没有终端可以输入口令，请用 --passwords 指定口令文件。", code="identity.no_terminal")
    return [
        typer.prompt(f"{title} 的口令", hide_input=True, confirmation_prompt="再输入一次") for title in titles
    ]


def _gateway() -> "Gateway":
    from fazhi.services import build
    from kernel.hosting.runtime import Runtime

    gateway: Gateway = build("gateway", Runtime(Settings())).app
    return gateway
