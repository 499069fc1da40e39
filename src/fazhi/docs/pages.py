"""The one list of documents made from the code: path in the repository, and what makes its text."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fazhi.docs import asyncapi, libraries, numbers, openapi, probes
from fazhi.services import NAMES


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Every document as (path, text). Raises Conflict when a contract number changed its meaning."""
    yield numbers.LOCK, numbers.lock_text(root)
    yield "docs/events/asyncapi.yaml", asyncapi.document(root)
    yield "docs/events/README.md", asyncapi.page()
    yield "docs/probes.md", probes.page()
    yield "docs/libraries.md", libraries.page(root)
    with tempfile.TemporaryDirectory(prefix="fazhi-docs-") as folder:
        for name in NAMES:
            yield f"docs/api/{name}.json", openapi.document(name, Path(folder))


def stale(root: Path) -> list[str]:
    """The documents that say something else than the code."""
    return [path for path, text in pages(root) if _kept(root / path) != text]


def write(root: Path) -> list[str]:
    """Write what is stale; returns the paths."""
    written = []
    for path, text in pages(root):
        if _kept(root / path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            written.append(path)
    return written


def _kept(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
