"""Proofs 证明: `fazhi prove P1 P9 --short`; one JSON line a promise, exit 0 only when all pass."""

import secrets
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import orjson
import typer

from fazhi.commands.progress import console

# Each module has FORMS ("short", "long", and one for each planted bug) and prove(form, seed, bug).
PROOFS: Mapping[str, str] = {
    "P1": "fazhi.prove.p1",
    "P3": "fazhi.prove.p3",
    "P4": "fazhi.prove.p4",
    "P5": "fazhi.prove.p5",
    "P9": "fazhi.prove.p9",
}
PROMISES = tuple(PROOFS)
LENGTHS = ("short", "long")


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(prove)


def prove(
    promises: Annotated[list[str], typer.Argument(help="承诺编号，如 P1")],
    short: Annotated[bool, typer.Option("--short", help="短形式（约两分钟内）；不加则为长形式")] = False,
    seed: Annotated[int, typer.Option(help="随机种子；0 为随机")] = 0,
    plant: Annotated[
        str, typer.Option(help="植入缺陷以验证本证明会失败，如 P1 的 no_inbox、P9 的 remembered_in_memory")
    ] = "",
) -> None:
    """用真实的服务器和真实的故障证明平台的承诺；全部通过时退出码为 0。"""
    unknown = [name for name in promises if name not in PROOFS]
    proofs: list[Any] = [import_module(PROOFS[name]) for name in promises if name in PROOFS]
    bugs = sorted({bug for proof in proofs for bug in proof.FORMS if bug not in LENGTHS})
    if unknown or (plant and any(plant not in proof.FORMS or plant in LENGTHS for proof in proofs)):
        console.print(
            f"尚不能证明：{'、'.join(unknown) or plant}；可选承诺：{'、'.join(PROOFS)}，缺陷：{'、'.join(bugs)}"
        )
        raise typer.Exit(2)
    passed = True
    for name, proof in zip(promises, proofs, strict=True):
        form = proof.FORMS[plant or ("short" if short else "long")]
        with console.status(f"正在证明 {name}（{form.name}）"):
            result = proof.prove(form, seed or secrets.randbelow(2**31) + 1, plant)
        typer.echo(orjson.dumps(result).decode())
        passed = passed and result["passed"]
    raise typer.Exit(0 if passed else 1)
