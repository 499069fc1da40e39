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

API = """
from fazhi.api_process import compose
from fazhi.services import build
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
runtime = Runtime(Settings())
service = build(NAME, runtime)
compose(runtime, [service], name=NAME)
service.rpc()
"""
WORKER = """
import fazhi.worker_process as process
from fazhi.buses import open_bus
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
runtime = Runtime(Settings())
service = process.build(NAME, runtime)
process.service_class(service.app.store, open_bus(runtime), service.worker())
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
"""


def loaded(code: str, folder: Path, name: str = "", broker: str = "") -> set[str]:
    """Which of the watched libraries a process of this kind has loaded."""
    asked = f"NAME = {name!r}\n{code}\nimport json, sys\nprint(json.dumps([m for m in {WATCHED!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
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
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", NAMES)
def test_an_api_process_never_loads_eventlet(name: str, tmp_path: Path) -> None:
    found = loaded(API, tmp_path, name)
    assert {"fastapi", "grpc"} <= found
    assert found.isdisjoint({"eventlet", "nameko"})


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_process_never_loads_grpc_or_fastapi(name: str, tmp_path: Path) -> None:
    found = loaded(WORKER, tmp_path, name, broker="amqp://127.0.0.1:1/nowhere")
    assert {"eventlet", "nameko", "pika"} <= found
    assert found.isdisjoint({"grpc", "fastapi", "starlette", "uvicorn"})


def test_the_embedded_form_needs_neither_nameko_nor_a_patched_library(tmp_path: Path) -> None:
    assert loaded(EMBEDDED, tmp_path).isdisjoint({"eventlet", "nameko"})


def test_the_watch_would_see_a_meeting(tmp_path: Path) -> None:
    assert {"grpc", "eventlet"} <= loaded("import grpc, eventlet", tmp_path)
