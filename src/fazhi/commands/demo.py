"""Demonstration data 演示数据: the province in a box, through the doors that real input uses."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from fazhi.commands.progress import advancing, console, progress
from kernel.settings import Settings

if TYPE_CHECKING:
    from fazhi.embedded import Embedded

MARKER = "demonstration.json"
SIZES = ("county", "city", "province")


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(demo)


def demo(
    size: Annotated[
        str, typer.Option(help="规模：county（一个旗县）、city（一个盟市）、province（全区）")
    ] = "county",
    seed: Annotated[int, typer.Option(help="种子：同一种子得到同样的数据")] = 1,
    export: Annotated[Path | None, typer.Option(help="只把数据写成文件到此目录，不装入")] = None,
) -> None:
    """装入演示数据（FAZHI_DATA 指明的数据目录），或用 --export 写成文件查看格式。"""
    _check(size)
    if export is not None:
        from fazhi.province import Province
        from fazhi.province.export import export as export_files

        export_files(Province(seed=seed, size=size), export)  # type: ignore[arg-type]
        console.print(f"已写入 {export}")
        return
    from fazhi.embedded import assemble
    from fazhi.garbage import collect_rarely
    from kernel.hosting.runtime import Runtime

    settings = Settings()
    if is_loaded(settings.data):
        console.print(f"{settings.data} 已装入演示数据。")
        return
    platform = assemble(Runtime(settings))
    platform.migrate()
    collect_rarely()
    platform.start()
    try:
        load(platform, size=size, seed=seed)
    finally:
        platform.stop()


def is_loaded(data: Path) -> bool:
    """Whether this data folder holds demonstration data, whole."""
    marker = data / MARKER
    return marker.exists() and orjson.loads(marker.read_bytes()).get("state") == "loaded"


def load(platform: "Embedded", *, size: str, seed: int, until: date | None = None) -> None:
    """
    Load a province of that size and seed; afterwards every consequence has happened.

    A load that was killed is simply run again: whatever was entered before is known and left alone.
    """
    from fazhi.demonstration import Demonstration
    from fazhi.province import Province

    _check(size)
    marker = platform.runtime.settings.data / MARKER
    said = {"size": size, "seed": seed}
    marker.write_bytes(orjson.dumps({"state": "loading", **said}))
    box = Province(seed=seed, size=size, until=until)  # type: ignore[arg-type]
    console.print(f"首次启动：装入演示数据（规模 {size}，种子 {seed}）")
    with progress() as bars:
        Demonstration(platform, box).load(lambda title, total: advancing(bars, title, total))
    marker.write_bytes(orjson.dumps({"state": "loaded", **said}))


def announce(platform: "Embedded", settings: Settings) -> None:
    """Say where to look and with which accounts."""
    from kernel.errors import NotFound

    console.print(
        f"\n[bold]法治一体已启动[/]  http://{settings.host}:{settings.port}   gRPC {settings.rpc_port}"
    )
    try:
        shown = platform.services["gateway"].app.demonstrations.shown()
    except NotFound:
        return
    console.print("演示账号（仅存在于演示数据中）：")
    for account in shown.accounts:
        console.print(
            f"  {account.account:<16}{account.password:<20}{account.title}  {account.unit_name}",
            markup=False,
            soft_wrap=True,
        )
    console.print("Ctrl-C 停止。\n")


def _check(size: str) -> None:
    if size not in SIZES:
        console.print(f"没有规模 {size}；可选：{'、'.join(SIZES)}")
        raise typer.Exit(2)
