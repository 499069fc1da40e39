"""
The command line 命令行: one door for people and scripts.

Exit codes: 0 done, 1 refused or failed (the reason is said), 2 wrong usage, 3 could not start, 75 try again later.
Commands are in fazhi/commands/, one file a subject; each imports what it needs when it runs, so that `--help`
is quick and a worker never loads the API's libraries.
"""

import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from fazhi.commands import (
    accounts,
    audit,
    bench,
    demo,
    detect,
    frameworks,
    imports,
    keys,
    ledger,
    maintain,
    partners,
    process,
    prove,
    publications,
    quarantine,
    replay,
    units,
)
from kernel.errors import PlatformError, TemporaryError
from kernel.settings import Settings
from kernel.storage import reach
from kernel.telemetry.log import configure

EX_TEMPFAIL = 75
app = typer.Typer(
    help="法治一体：法治政府建设一体化平台。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for subject in (
    process,
    imports,
    demo,
    frameworks,
    maintain,
    units,
    accounts,
    audit,
    keys,
    partners,
    quarantine,
    replay,
    bench,
    prove,
    publications,
    ledger,
    detect,
):
    subject.add_to(app)


def main() -> None:
    """Run the command line; errors of the tree become one clear message and an exit code."""
    errors = Console(stderr=True)
    try:
        settings = Settings()
    except (ValidationError, OSError) as error:
        errors.print(
            f"设置有误，请改正后重试：{_plain(error)}", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(2)
    configure(level=settings.log_level, process="fazhi")
    reach.say(reach.EVERYTHING)  # who may run commands here may read the database itself
    try:
        app()
    except PlatformError as error:
        errors.print(f"[bold red]{error.text}[/]  [dim]({error.stable_code})[/]", highlight=False)
        for problem in error.problems[:20]:
            errors.print(
                f"  {problem.path}  {problem.message}  ({problem.code})", markup=False, highlight=False
            )
        if len(error.problems) > 20:
            errors.print(f"  … 另有 {len(error.problems) - 20} 处问题", markup=False)
        sys.exit(EX_TEMPFAIL if isinstance(error, TemporaryError) else 1)


def _plain(error: Exception) -> str:
    """What is wrong with the settings, without their values: some of them are secrets."""
    if isinstance(error, ValidationError):
        return "；".join(
            f"FAZHI_{'_'.join(map(str, fault['loc'])).upper()} {fault['msg']}".strip()
            for fault in error.errors()
        )
    return str(error)
