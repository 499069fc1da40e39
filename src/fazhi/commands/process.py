"""Processes: `run` (everything in one), `api`, `worker`, `gateway`, and `up` (all of them, distributed)."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from fazhi.commands.progress import console
from kernel.bus.markers import Part
from kernel.settings import Settings
from kernel.telemetry.log import configure

SERVICE = Annotated[
    str, typer.Argument(help="服务名：legislation、disputes、decisions、enforcement、assessment、gateway")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(run)
    app.command()(api)
    app.command()(worker)
    app.command()(gateway)
    app.command()(up)


def run(
    port: Annotated[int, typer.Option(help="HTTP 端口；gRPC 用其后一个端口")] = 8000,
    data: Annotated[Path | None, typer.Option(help="数据目录，默认 data")] = None,
    size: Annotated[str, typer.Option(help="演示数据规模：county、city、province")] = "county",
    seed: Annotated[int, typer.Option(help="演示数据种子")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="清空演示数据目录后重新开始")] = False,
) -> None:
    """在一个进程中启动整个平台（SQLite、进程内总线、内嵌检索），首次启动装入演示数据。"""
    from fazhi.witness.demonstration import demonstration_witness

    settings = Settings()
    settings = settings.model_copy(
        update={"port": port, "data": data or settings.data, "cookie_secure": False}
    )
    if fresh:
        _clear(settings.data)
    console.print("正在启动法治一体平台 …")
    with demonstration_witness(settings) as witnessed:
        _run_embedded(witnessed, size=size, seed=seed)


def _run_embedded(settings: Settings, *, size: str, seed: int) -> None:
    from fazhi.commands.demo import announce, is_loaded, load
    from fazhi.embedded import assemble
    from fazhi.garbage import collect_rarely
    from kernel.hosting.runtime import Runtime

    platform = assemble(Runtime(settings))
    platform.migrate()
    collect_rarely()
    platform.start()
    try:
        if not is_loaded(settings.data):
            load(platform, size=size, seed=seed)
        from fazhi.api_process import compose, serve

        services = list(platform.services.values())
        app = compose(platform.runtime, services, name="fazhi", started=lambda: announce(platform, settings))
        serve(app, settings)
    finally:
        platform.stop()


def api(service: SERVICE) -> None:
    """启动一个服务的 HTTP 与 gRPC 进程。"""
    from fazhi.api_process import compose, serve
    from fazhi.services import NAMES, build
    from fazhi.sources import demand_source_keys
    from kernel.hosting.runtime import Runtime
    from kernel.hosting.start import patiently

    _known(service, NAMES)
    settings = Settings()
    configure(level=settings.log_level, process=f"{service}.api")
    runtime = Runtime(settings)
    demand_source_keys(runtime, service)
    built = patiently(lambda: build(service, runtime))
    serve(compose(runtime, [built], name=service), settings)


def gateway() -> None:
    """启动网关的 HTTP 与 gRPC 进程，并提供控制台页面。"""
    api("gateway")


def worker(
    service: SERVICE,
    part: Annotated[Part, typer.Option(help="只做一部分：hears 收消息并转发，clocks 守各种钟")] = Part.ALL,
) -> None:
    """启动一个服务的后台进程（nameko）。"""
    from fazhi.services import NAMES

    _known(service, NAMES)
    # A fresh interpreter: patching must come before everything this one has imported already.
    os.execv(sys.executable, [sys.executable, "-m", "fazhi.worker_process", service, part])  # noqa: S606


def up(
    distributed: Annotated[bool, typer.Option("--distributed", help="以分布式形态启动所有进程")] = True,
    with_servers: Annotated[
        bool, typer.Option("--with-servers", help="同时启动本机的 RabbitMQ 和 PostgreSQL（临时数据）")
    ] = False,
    port: Annotated[int, typer.Option(help="入口端口")] = 8000,
) -> None:
    """在一台机器上以分布式形态启动所有进程：FAZHI_DATABASE_URL、FAZHI_BROKER_URL 指明服务器。"""
    from fazhi.distributed import up as bring_up

    del distributed  # the only form this command has; the flag says it aloud
    bring_up(Settings(), port=port, with_servers=with_servers)


def _known(service: str, names: tuple[str, ...]) -> None:
    if service not in names:
        console.print(f"没有名为 {service} 的服务；可选：{'、'.join(names)}")
        raise typer.Exit(2)


def _clear(data: Path) -> None:
    """Remove a data folder, but only one that holds demonstration data and nothing else."""
    from fazhi.commands.demo import MARKER

    if not data.exists():
        return
    if any(data.iterdir()) and not (data / MARKER).exists():
        console.print(f"{data} 不是演示数据目录，未清空。请另选 --data，或自行确认后删除。")
        raise typer.Exit(1)
    shutil.rmtree(data)
