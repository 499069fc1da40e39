"""A county as people see it: the embedded form with the demonstration loaded, serving the built console."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fazhi.commands.demo import load
from fazhi.embedded import assemble
from kernel.hosting.runtime import Runtime
from kernel.settings import Settings
from tests.support.forms import Form, serving
from tests.support.processes import free_port


@contextmanager
def shown_county(data: Path) -> Iterator[Form]:
    """Load it into a folder; skips where the console is not built."""
    port = free_port()
    settings = Settings(data=data, port=port, grpc_port=free_port(), cookie_secure=False, log_level="ERROR")
    if not (settings.console / "index.html").exists():
        pytest.skip("控制台尚未构建：请运行 scripts/console.sh / the console is not built")
    embedded = assemble(Runtime(settings))
    embedded.migrate()
    embedded.start()
    load(embedded, size="county", seed=1)
    with serving(embedded, port) as address:
        yield Form(embedded.runtime, embedded.services, embedded.bus, address)
    embedded.stop()
