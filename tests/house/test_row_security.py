"""docs/row-security.md names every table: with its wall, or why it has none; and every look beyond a caller's reach."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Table

from fazhi.services import NAMES, package_of
from tests.house.test_migrations import import_environment_models

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "row-security.md").read_text(encoding="utf-8")
SOURCES = ("gateway", "kernel", "proto", "services", "src")
EVERY_SERVICE = "每个服务"


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


@pytest.mark.parametrize("service", NAMES)
def test_every_table_has_a_wall_or_a_reason(service: str) -> None:
    import_environment_models(service)
    tables = import_module(f"{package_of(service)}.tables").Base.metadata.tables
    walls = set(walled(service))
    assert sorted(listed("有墙的表", service)) == sorted(walls)
    named = [*walls, *listed("没有墙的表，为什么", service)]
    assert sorted(set(tables) - set(named)) == []
    assert sorted(named) == sorted(tables)


def test_a_table_that_nobody_thought_of_is_noticed() -> None:
    tables = import_module("services.decisions.tables").Base.metadata
    forgotten = Table("forgotten", tables)
    try:
        with pytest.raises(AssertionError, match="forgotten"):
            test_every_table_has_a_wall_or_a_reason("decisions")
    finally:
        tables.remove(forgotten)


def listed(section: str, service: str) -> Iterator[str]:
    """Tables of a service in a section of the page, each as often as it stands there."""
    (part,) = re.findall(rf"^## {section}$(.+?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for services, tables, why in re.findall(r"^\| ([^|]+) \| ([^|]+) \| (.+) \|$", part, re.MULTILINE):
        if service in services.split("、") or services == EVERY_SERVICE:
            assert why.strip()
            yield from re.findall(r"`(\w+)`", tables)


def walled(service: str) -> Iterator[str]:
    """Tables that the migrations of a service force a policy on."""
    package = package_of(service)
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
