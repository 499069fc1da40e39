"""Every word of the domain has its official Chinese term in docs/glossary.md, and probes have theirs in docs/probes.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import roles
from fazhi.docs.numbers import files, meanings
from fazhi.docs.probes import declared
from fazhi.services import NAMES, package_of
from kernel import catalog

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| (?P<chinese>[^|]+) \| `(?P<word>[^`]+)` \| (?P<where>[^|]+) \| [^|]* \| [^|]* \|$", re.MULTILINE
)
ROOMS = ("rules", "model", "values")


def glossary() -> dict[tuple[str, str], str]:
    """(where, identifier) -> Chinese term."""
    found = {}
    for row in ROW.finditer((ROOT / "docs" / "glossary.md").read_text()):
        for where in row["where"].split(", "):
            found[where.strip(), row["word"]] = row["chinese"]
    return found


WORDS = glossary()


def domain_classes() -> Iterator[tuple[str, str]]:
    """(where, class) of every public class in the rooms where the words of the law live."""
    for service in NAMES:
        folder = ROOT.joinpath(*package_of(service).split("."))
        for path in sorted(folder.rglob("*.py")):
            if "migrations" in path.parts or not any(part in ROOMS for part in path.with_suffix("").parts):
                continue
            yield from ((service, name) for name in public_classes(path))
    yield from (("contracts", name) for name in public_classes(ROOT / "proto/contracts/findings/values.py"))
    for kind in meanings(files(ROOT)):
        schema, name = kind.rsplit(".", 1)
        is_nested = schema.rsplit(".", 1)[-1][0].isupper()  # such as the entries of a map
        if not is_nested and "Query" not in name and "Exchange" not in name:
            yield "contracts", name


def public_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    return [
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


@pytest.mark.parametrize(("where", "name"), sorted(set(domain_classes())))
def test_a_domain_class_is_in_the_glossary(where: str, name: str) -> None:
    chinese = WORDS.get((where, name), "")
    assert re.search(r"[\u4e00-\u9fff]", chinese), f"{name} ({where}) needs a row in docs/glossary.md"


def test_the_glossary_names_no_class_that_is_gone() -> None:
    known = set(domain_classes())
    places = {*NAMES, "contracts"}
    everything = {
        name
        for service in NAMES
        for path in ROOT.joinpath(*package_of(service).split(".")).rglob("*.py")
        for name in public_classes(path)
    } | {name for path in (ROOT / "proto/contracts").rglob("*.py") for name in public_classes(path)}
    gone = [
        (where, word)
        for where, word in WORDS
        if where in places
        and re.fullmatch(r"[A-Z]\w+", word)
        and (where, word) not in known
        and word not in everything
    ]
    assert gone == []


def test_every_role_has_its_official_title() -> None:
    assert {word: chinese for (where, word), chinese in WORDS.items() if where == "roles"} == roles.TITLES


def test_every_probe_is_in_the_table_of_probes() -> None:
    page = (ROOT / "docs" / "probes.md").read_text()
    missing = [
        probe.name for service in NAMES for _, probe in declared(service) if f"| {probe.name} |" not in page
    ]
    assert missing == []


def test_the_catalogue_offers_exactly_the_probes_that_are_declared() -> None:
    listed = catalog.read(ROOT / "catalog" / "codes" / "probes.yaml").data["probes"]
    offered = {(one["service"], one["id"]) for one in listed}
    assert offered == {(service, probe.name) for service in NAMES for _, probe in declared(service)}


def test_every_probe_cites_its_basis() -> None:
    bare = [
        probe.name
        for service in NAMES
        for _, probe in declared(service)
        if not probe.basis or not probe.title
    ]
    assert bare == []
