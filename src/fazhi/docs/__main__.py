"""`python -m fazhi.docs [--check]`: write the documents that are made from the code, or say which are stale."""

from pathlib import Path
from typing import Annotated

import typer

from fazhi.commands.progress import console
from fazhi.docs.pages import stale, write
from kernel.errors import Conflict

ROOT = Path(__file__).parents[3]


def main(*, check: Annotated[bool, typer.Option("--check", help="只检查是否过期，不改动")] = False) -> None:
    """由代码生成 docs/ 中的文档和 proto/contracts.lock.json。"""
    try:
        paths = stale(ROOT) if check else write(ROOT)
    except Conflict as error:
        console.print(f"[bold red]{error.text}[/]")
        raise typer.Exit(1) from error
    for path in paths:
        console.print(f"{'过期' if check else '已写入'} {path}")
    raise typer.Exit(1 if check and paths else 0)


if __name__ == "__main__":
    typer.run(main)
