"""What is made from the code is as the code is now; `python -m fazhi.docs` brings it up to date."""

import shutil
from pathlib import Path

import orjson
import pytest
import yaml

from contracts import topology
from fazhi.docs.numbers import LOCK, NumberReused
from fazhi.docs.pages import pages, stale, write
from fazhi.services import NAMES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return dict(pages(ROOT))


def test_documents_are_up_to_date(made: dict[str, str]) -> None:
    stale = [
        path for path, text in made.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text
    ]
    assert stale == [], "run python -m fazhi.docs"


def test_making_them_twice_gives_the_same_bytes(made: dict[str, str]) -> None:
    assert dict(pages(ROOT)) == made


def test_a_changed_document_is_found_and_a_changed_number_is_refused(tmp_path: Path) -> None:
    for folder in ("requirements", "proto"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    written = write(tmp_path)
    assert "docs/events/asyncapi.yaml" in written
    assert stale(tmp_path) == []
    (tmp_path / "docs" / "probes.md").write_text("edited by hand")
    assert stale(tmp_path) == ["docs/probes.md"]
    lock = tmp_path / LOCK
    lock.write_text(lock.read_text().replace('"5": "unit string"', '"5": "agency string"'))
    with pytest.raises(NumberReused, match="agency"):
        write(tmp_path)


def test_the_bus_document_names_every_queue_and_refers_only_to_what_is_there(made: dict[str, str]) -> None:
    document = yaml.safe_load(made["docs/events/asyncapi.yaml"])
    operations = document["operations"].values()
    named = {one["x-queue"]["name"] for one in operations if "x-queue" in one}
    assert named == {queue.name for queue in topology.QUEUES}
    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("name", NAMES)
def test_every_service_has_an_openapi_document_under_its_own_prefix(name: str, made: dict[str, str]) -> None:
    document = orjson.loads(made[f"docs/api/{name}.json"])
    assert document["paths"]
    assert [path for path in document["paths"] if not path.startswith(f"/api/{name}/v1/")] == []


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        found = [node["$ref"]] if "$ref" in node else []
        return found + [each for value in node.values() for each in references(value)]
    if isinstance(node, list):
        return [each for value in node for each in references(value)]
    return []
