"""docs/row-security.md names every table with a wall, and every place that looks beyond its caller's reach."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "row-security.md").read_text(encoding="utf-8")
SOURCES = ("gateway", "kernel", "proto", "services", "src")
SERVICES = ("assessment", "decisions", "disputes", "enforcement", "gateway")


def said() -> Iterator[tuple[str, str]]:
    """(file, why) of every `beyond(...)`."""
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "beyond":
                    assert isinstance(node.args[0], ast.Constant), f"{path}: say why in so many words"
                    yield str(path.relative_to(ROOT)), str(node.args[0].value)


def test_every_look_beyond_is_listed_with_its_reason() -> None:
    listed = re.findall(r"^\| `([\w/.]+\.py)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(said())


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_a_wall_is_listed(service: str) -> None:
    rows = re.findall(rf"^\| {service} \| (.+?) \|", PAGE, re.MULTILINE)
    listed = {table for row in rows for table in re.findall(r"`(\w+)`", row)}
    assert listed == set(walled(service))


def walled(service: str) -> Iterator[str]:
    """Tables that the migrations of a service force a policy on."""
    package = service if service == "gateway" else f"services.{service}"
    statements: list[str] = []
    connection = SimpleNamespace(
        dialect=SimpleNamespace(name="postgresql"), execute=lambda said: statements.append(str(said))
    )
    for path in sorted((ROOT / package.replace(".", "/") / "migrations" / "versions").glob("*.py")):
        version = import_module(f"{package}.migrations.versions.{path.stem}")
        if hasattr(version, "raise_walls"):
            version.raise_walls(connection)
    for statement in statements:
        if found := re.fullmatch(r"ALTER TABLE (\w+) FORCE ROW LEVEL SECURITY", statement):
            yield found[1]
