"""OpenAPI of each service, as its own process serves it under /api/<service>/openapi.json."""

from pathlib import Path

import orjson

from fazhi.identity import verifier
from fazhi.services import build
from kernel.hosting.api import build_api
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings


def document(name: str, folder: Path) -> str:
    """The OpenAPI document of one service, keys in order; `folder` takes the databases it opens."""
    runtime = Runtime(Settings(data=folder))
    try:
        service = build(name, runtime)
        api = build_api(name, service.title, service.routers(), verifier(runtime), service.app.store)
        text = orjson.dumps(api.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    finally:
        runtime.close()
    return text + "\n"
