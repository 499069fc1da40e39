"""
API processes never load eventlet, worker processes never load gRPC or FastAPI: they cannot share one (R43).

Each kind is really loaded, in an interpreter of its own, with everything its service brings along.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fazhi.services import NAMES

ROOT = Path(__file__).parents[2]
WATCHED = ("eventlet", "nameko", "grpc", "fastapi", "starlette", "uvicorn", "pika")

# After each service, one line with what is loaded by then: the first that brings something foreign is named.
API = """
from fazhi.api_process import compose
from fazhi.services import NAMES, build
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
runtime = Runtime(Settings())
for name in NAMES:
    service = build(name, runtime)
    compose(runtime, [service], name=name)
    service.rpc()
    tell(name)
"""
WORKER = """
import fazhi.worker_process as process
from fazhi.buses import open_bus
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
runtime = Runtime(Settings())
for name in process.NAMES:
    service = process.build(name, runtime)
    process.service_class(service.app.store, open_bus(runtime), service.worker())
    tell(name)
"""
EMBEDDED = """
from fazhi.api_process import compose
from fazhi.embedded import assemble
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
platform = assemble(Runtime(Settings()))
compose(platform.runtime, list(platform.services.values()), name="fazhi")
for service in platform.services.values():
    service.worker()
tell("embedded")
"""


def loaded(code: str, folder: Path, broker: str = "") -> dict[str, set[str]]:
    """What is loaded after each step of a process of this kind, of the libraries that are watched."""
    tell = f"""
import json, sys
def tell(step):
    print(json.dumps([step, [name for name in {WATCHED!r} if name in sys.modules]]))
"""
    done = subprocess.run(
        # `tell` needs nothing that patching would come too late for.
        [sys.executable, "-c", tell + code],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("FAZHI_")},
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "proto", ROOT / "src"))),
            "FAZHI_DATA": str(folder),
            "FAZHI_BROKER_URL": broker,
        },
    )
    assert done.returncode == 0, done.stderr
    return {step: set(names) for step, names in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    return loaded(API, tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    return loaded(WORKER, tmp_path_factory.mktemp("worker"), broker="amqp://127.0.0.1:1/nowhere")


@pytest.mark.parametrize("name", NAMES)
def test_an_api_process_never_loads_eventlet(name: str, api: dict[str, set[str]]) -> None:
    assert {"fastapi", "grpc"} <= api[name]
    assert api[name].isdisjoint({"eventlet", "nameko"})


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_process_never_loads_grpc_or_fastapi(name: str, worker: dict[str, set[str]]) -> None:
    assert {"eventlet", "nameko", "pika"} <= worker[name]
    assert worker[name].isdisjoint({"grpc", "fastapi", "starlette", "uvicorn"})


def test_the_embedded_form_needs_neither_nameko_nor_a_patched_library(tmp_path: Path) -> None:
    assert loaded(EMBEDDED, tmp_path)["embedded"].isdisjoint({"eventlet", "nameko"})


def test_the_watch_would_see_a_meeting(tmp_path: Path) -> None:
    found = loaded("import grpc, eventlet\ntell('both')", tmp_path)
    assert {"grpc", "eventlet"} <= found["both"]
