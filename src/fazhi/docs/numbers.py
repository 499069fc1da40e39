"""
Numbers 字段编号 of the contracts, kept in a lock file: a number once given never means anything else.

Old messages wait in outboxes, queues and quarantine, and old events stay in the log for ever; a number that
changed its name or type would be read as something it never was. The lock only grows: what leaves a schema
must be `reserved` there.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

from kernel.errors import Conflict

LOCK = "proto/contracts.lock.json"
Lock = dict[str, dict[str, str]]


class NumberReused(Conflict):
    """A number of a contract means something else than before."""

    code = "contracts.number_reused"


def lock_text(root: Path) -> str:
    """The lock, extended by what is new. Raises NumberReused when a number changed its meaning."""
    path = root / LOCK
    locked: Lock = orjson.loads(path.read_bytes()) if path.exists() else {}
    schemas = list(files(root))
    current = meanings(schemas)
    if said := conflicts(locked, current, reserved(schemas)):
        raise NumberReused("；".join(said))
    merged: dict[str, Any] = {kind: {**locked.get(kind, {}), **numbers} for kind, numbers in current.items()}
    return orjson.dumps(merged, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def files(root: Path) -> Iterator[FileDescriptorProto]:
    """The description of every schema, from its generated code."""
    for path in sorted((root / "proto").rglob("*.proto")):
        module = ".".join(path.relative_to(root / "proto").with_suffix("").parts) + "_pb2"
        yield FileDescriptorProto.FromString(import_module(module).DESCRIPTOR.serialized_pb)


def meanings(schemas: Iterable[FileDescriptorProto]) -> Lock:
    """What every number and method means: type name -> number -> "name type"."""
    found: Lock = {}
    for file in schemas:
        for name, message in _messages(file.package, file.message_type):
            found[name] = {str(field.number): f"{field.name} {_type(field)}" for field in message.field}
        for name, enum in _enums(file):
            found[name] = {str(value.number): value.name for value in enum.value}
        for service in file.service:
            found[f"{file.package}.{service.name}"] = {one.name: _call(one) for one in service.method}
    return found


def reserved(schemas: Iterable[FileDescriptorProto]) -> dict[str, set[str]]:
    """The numbers that each type declares as never to be used again."""
    found: dict[str, set[str]] = {}
    for file in schemas:
        for name, message in _messages(file.package, file.message_type):
            spans = [range(span.start, span.end) for span in message.reserved_range]
            found[name] = {str(number) for span in spans for number in span}
        for name, enum in _enums(file):
            spans = [range(span.start, span.end + 1) for span in enum.reserved_range]
            found[name] = {str(number) for span in spans for number in span}
    return found


def conflicts(locked: Lock, current: Lock, given_up: Mapping[str, set[str]]) -> list[str]:
    """Where the schemas say something else than the lock; `given_up` are the reserved numbers of each type."""
    said = []
    for kind, numbers in locked.items():
        if kind not in current:
            said.append(f"{kind} 已从契约中消失；类型不得删除")
            continue
        for number, meaning in numbers.items():
            meant = current[kind].get(number)
            if meant is None and number not in given_up.get(kind, set()):
                said.append(f"{kind} 的 {number}（{meaning}）被删除；请在 .proto 中写 reserved {number};")
            elif meant is not None and meant != meaning:
                said.append(f"{kind} 的 {number} 原为 {meaning}，现为 {meant}；请用新的编号")
    return said


def _messages(prefix: str, messages: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        name = f"{prefix}.{message.name}"
        yield name, message
        yield from _messages(name, message.nested_type)


def _enums(file: FileDescriptorProto) -> Iterator[tuple[str, EnumDescriptorProto]]:
    for enum in file.enum_type:
        yield f"{file.package}.{enum.name}", enum
    for name, message in _messages(file.package, file.message_type):
        for enum in message.enum_type:
            yield f"{name}.{enum.name}", enum


def _type(field: FieldDescriptorProto) -> str:
    kind = (
        field.type_name.lstrip(".")
        or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    )
    return f"repeated {kind}" if field.label == FieldDescriptorProto.LABEL_REPEATED else kind


def _call(method: MethodDescriptorProto) -> str:
    answer = f"stream {method.output_type}" if method.server_streaming else method.output_type
    return f"{method.input_type.lstrip('.')} -> {answer.replace(' .', ' ').lstrip('.')}"
