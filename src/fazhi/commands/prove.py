"""Proofs 证明: `fazhi prove P1 --short`; one JSON line a promise, exit 0 only on pass."""

import secrets
from typing import Annotated

import orjson
import typer

from fazhi.commands.progress import console

PROMISES = ("P1",)


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(prove)


def prove(
    promises: Annotated[list[str], typer.Argument(help="承诺编号，如 P1")],
    short: Annotated[bool, typer.Option("--short", help="短形式（约两分钟内）；不加则为长形式")] = False,
    seed: Annotated[int, typer.Option(help="随机种子；0 为随机")] = 0,
    plant: Annotated[
        str, typer.Option(help="植入缺陷以验证本证明会失败：cursor_relay、ack_before_commit、no_inbox")
    ] = "",
) -> None:
    """用真实的服务器和真实的故障证明平台的承诺；全部通过时退出码为 0。"""
    from fazhi.prove.p1 import FORMS
    from fazhi.prove.p1 import prove as prove_p1
    from fazhi.prove.planted import BUGS

    unknown = [name for name in promises if name not in PROMISES]
    if unknown or (plant and plant not in BUGS):
        console.print(
            f"尚不能证明：{'、'.join(unknown) or plant}；可选承诺：{'、'.join(PROMISES)}，缺陷：{'、'.join(BUGS)}"
        )
        raise typer.Exit(2)
    passed = True
    for _name in promises:
        form = FORMS[plant or ("short" if short else "long")]
        result = prove_p1(form, seed or secrets.randbelow(2**31) + 1, plant)
        typer.echo(orjson.dumps(result).decode())
        passed = passed and result["passed"]
    raise typer.Exit(0 if passed else 1)
