"""Publications 公布: the bundles by which anybody checks a published ranking, and the keys to check them with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fazhi.commands.progress import console
from kernel.settings import Settings

if TYPE_CHECKING:
    from services.assessment.app import Assessment


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(help="公布的排名：列出、导出核验用的数据包、显示公钥。", no_args_is_help=True)
    group.command("list")(published)
    group.command()(export)
    group.command()(keys)
    app.add_typer(group, name="publications")


def published() -> None:
    """列出已公布的排名。"""
    for one in _assessment().publications.published(limit=1000):
        console.print(
            f"{one.id}  {one.period}（至 {one.upto}）  {one.peer_group}  {one.at_seq} 条", soft_wrap=True
        )


def export(
    publication: Annotated[str, typer.Argument(help="公布编号")],
    folder: Annotated[Path, typer.Argument(help="导出到的新文件夹")],
) -> None:
    """导出数据包：可用 verifier/fazhi_verify.py 离线核验。"""
    _assessment().publications.export(publication, folder)
    console.print(f"已导出到 {folder}", soft_wrap=True)


def keys() -> None:
    """显示核验要用的公钥：账本、公布、见证方、来源。"""
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import build, ledger_keys, publication_signer, source_keys

    runtime = Runtime(Settings())
    for key in ledger_keys(runtime):
        console.print(f"--key {key}", soft_wrap=True)
    console.print(f"--publisher {publication_signer(runtime)().key}", soft_wrap=True)
    for witness in build(runtime).ledger.witnesses:
        console.print(f"--witness {witness.key}", soft_wrap=True)
    for source in source_keys(runtime.source_rings()):
        console.print(f"--source {source}", soft_wrap=True)


def _assessment() -> "Assessment":
    from kernel.hosting.runtime import Runtime
    from services.assessment.app import build

    return build(Runtime(Settings()))
