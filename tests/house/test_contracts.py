"""Generated code says what its schema says, and a field number once given keeps its meaning for ever."""

import filecmp
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from fazhi.docs.numbers import LOCK, Lock, conflicts, files, meanings, reserved

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto"
EVENT = "contracts.events.v1.ScoredEvent"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run(
        ["bash", PROTO / "generate.sh", folder],
        check=True,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
    )
    return folder


def test_generated_code_is_what_the_schemas_make(generated: Path) -> None:
    made = sorted(path.relative_to(generated) for path in generated.rglob("*_pb2*"))
    kept = sorted(path.relative_to(PROTO) for path in PROTO.rglob("*_pb2*") if path.suffix != ".pyc")
    assert made, "protoc made nothing"
    assert kept == made
    _, differing, missing = filecmp.cmpfiles(generated, PROTO, list(map(str, made)), shallow=False)
    assert (differing, missing) == ([], []), "run proto/generate.sh"


def schemas() -> list[FileDescriptorProto]:
    return list(files(ROOT))


def lock() -> Lock:
    locked: Lock = orjson.loads((ROOT / LOCK).read_bytes())
    return locked


def test_no_number_changed_its_meaning() -> None:
    assert conflicts(lock(), meanings(schemas()), reserved(schemas())) == []


def test_every_number_is_locked() -> None:
    current = meanings(schemas())
    assert {kind: set(numbers) - set(lock().get(kind, {})) for kind, numbers in current.items()} == {
        kind: set() for kind in current
    }, "run python -m fazhi.docs"


def events_schema() -> tuple[FileDescriptorProto, FileDescriptorProto]:
    """The events schema and a copy to spoil."""
    (schema,) = (file for file in schemas() if file.package == "contracts.events.v1")
    spoiled = FileDescriptorProto()
    spoiled.CopyFrom(schema)
    return schema, spoiled


def judged(spoiled: FileDescriptorProto) -> list[str]:
    locked = {kind: numbers for kind, numbers in lock().items() if kind.startswith("contracts.events.")}
    return conflicts(locked, meanings([spoiled]), reserved([spoiled]))


def spoilings() -> Iterator[tuple[str, FileDescriptorProto]]:
    _, spoiled = events_schema()
    event = next(one for one in spoiled.message_type if one.name == "ScoredEvent")
    event.field[4].name = "agency"
    yield "renamed", spoiled
    _, spoiled = events_schema()
    event = next(one for one in spoiled.message_type if one.name == "ScoredEvent")
    event.field[7].type = event.field[0].type
    yield "other type", spoiled
    _, spoiled = events_schema()
    event = next(one for one in spoiled.message_type if one.name == "ScoredEvent")
    del event.field[4]
    yield "removed", spoiled
    _, spoiled = events_schema()
    del spoiled.enum_type[0].value[2]
    yield "removed from an enum", spoiled


@pytest.mark.parametrize(("how", "spoiled"), list(spoilings()))
def test_a_spoiled_schema_is_refused(how: str, spoiled: FileDescriptorProto) -> None:
    assert judged(spoiled) != [], how


def test_a_removed_number_may_be_given_up() -> None:
    schema, spoiled = events_schema()
    assert judged(schema) == []
    event = next(one for one in spoiled.message_type if one.name == "ScoredEvent")
    number = event.field[4].number
    del event.field[4]
    event.reserved_range.add(start=number, end=number + 1)
    assert judged(spoiled) == []


def test_no_message_of_the_contracts_has_room_for_a_person() -> None:
    """Names and numbers of natural persons never enter an event; a keyed hash may say that it is the same one."""
    rooms = re.compile(r"(^|_)(person|phone|mobile|id_card|id_number|address|officer|applicant)(_|$)")
    found = [
        f"{kind}.{meaning}"
        for kind, numbers in meanings(schemas()).items()
        for meaning in numbers.values()
        if rooms.search(meaning.split()[0]) and not meaning.startswith("person_hash ")
    ]
    assert found == []
