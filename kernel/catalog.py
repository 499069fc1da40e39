"""
Catalog: data that a province may change without touching code (YAML under `catalog/`).

A clerk edits these files, so a fault must name file and line, and nothing may be dropped silently:
a repeated key, an alias, a binary fraction or a code that YAML would take for a number is an error, not a
surprise in a total. Points and rates are quoted decimals ("2.5") or integers for the same reason. What the
values mean is decided by whoever reads them; `CatalogFile.located` turns their problems
("nodes[3].points") back into lines.

A file is read once per content change; callers share the values and do not alter them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, ClassVar

import yaml

from kernel.errors import Invalid, Problem

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 60
# YAML 1.1 reads yes as true, 010 as 8 and 12:30 as 750; in a table of codes that is a trap.
_PLAIN = re.compile(r"true|false|-?(0|[1-9][0-9]*)")
Place = tuple[str | int, ...]

_cache: dict[Path, tuple[tuple[int, int], "CatalogFile"]] = {}


class CatalogInvalid(Invalid):
    """A catalog file cannot be used; `problems` carry "file:line" as their path."""

    code: ClassVar[str] = "catalog.invalid"
    message: ClassVar[str] = "配置文件有误，请按提示的文件和行号修改后重试。"


@dataclass(frozen=True)
class CatalogFile:
    """One parsed file: its values, and the line on which each value begins."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def line(self, dotted: str) -> int:
        """Line of a dotted path such as "nodes[3].points"; of its nearest known parent otherwise."""
        place = _place(dotted)
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def located(self, problems: Iterable[Problem]) -> CatalogInvalid:
        """The same problems, each with file and line, as one error to raise."""
        return CatalogInvalid(
            f"配置文件 {self.path.name} 有误，请按提示的行号修改后重试。",
            problems=[
                Problem(f"{self.path}:{self.line(p.path)}", p.code, f"{p.path}：{p.message}")
                for p in problems
            ],
        )


def read(path: Path) -> CatalogFile:
    """Read one file, from memory while it is unchanged. Errors: `CatalogInvalid`."""
    try:
        stat = path.stat()
    except OSError as missing:
        raise _invalid(path, 0, "catalog.missing", "找不到配置文件，请核对路径和读取权限。") from missing
    stamp = (stat.st_mtime_ns, stat.st_size)
    known = _cache.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    if stat.st_size > MAX_BYTES:
        raise _invalid(path, 0, "catalog.too_large", f"配置文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分。")
    found = _parse(path, path.read_bytes())
    _cache[path] = (stamp, found)
    return found


def read_upload(name: str, raw: bytes) -> CatalogFile:
    """A file that somebody handed in, read like one of the catalogue. Errors: `CatalogInvalid`."""
    path = Path(PurePath(name.replace("\\", "/")).name)
    if len(raw) > MAX_BYTES:
        raise _invalid(path, 0, "catalog.too_large", f"配置文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分。")
    return _parse(path, raw)


def read_folder(folder: Path) -> list[CatalogFile]:
    """Every `*.yaml` of one folder, by name; an absent folder has none."""
    return [read(path) for path in sorted(folder.glob("*.yaml"))]


def _parse(path: Path, raw: bytes) -> CatalogFile:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise _invalid(
            path,
            raw.count(b"\n", 0, wrong.start) + 1,
            "catalog.encoding",
            "配置文件不是 UTF-8 编码，请另存为 UTF-8 后重试。",
        ) from wrong
    try:
        _refuse_depth(text)
        loader = yaml.CSafeLoader(text)
        try:
            root = loader.get_single_node()
            reader = _Reader(path, loader)
            data = None if root is None else reader.value(root, ())
        finally:
            loader.dispose()
    except _TooDeep as wrong:
        raise _invalid(path, wrong.line, "catalog.too_deep", f"嵌套超过 {MAX_DEPTH} 层，请简化。") from wrong
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        raise _invalid(
            path,
            mark.line + 1 if mark else 0,
            "catalog.syntax",
            f"格式错误：{wrong.problem}。请检查缩进、冒号和引号。",
        ) from wrong
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise _invalid(path, 0, "catalog.syntax", f"格式错误：{wrong}") from wrong
    if reader.problems:
        raise CatalogInvalid(
            f"配置文件 {path.name} 有误，请按提示的行号修改后重试。", problems=reader.problems
        )
    return CatalogFile(path, data, reader.lines or {(): 1})


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


def _refuse_depth(text: str) -> None:
    """Bound the nesting first: the composer of libyaml recurses in C, where too deep is a crash."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise _TooDeep(line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    """Turns YAML nodes into plain values, remembering lines and refusing what would be ambiguous."""

    def __init__(self, path: Path, loader: yaml.CSafeLoader) -> None:
        self.path = path
        self.loader = loader
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._seen:
            self._note(node, "catalog.alias", "不支持 YAML 别名（*name），请写出完整内容。")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, index)) for index, child in enumerate(node.value)]
        return self._mapping(node, place)

    def _mapping(self, node: yaml.Node, place: Place) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(key_node, "catalog.key", "键只能是文字或整数。")
                continue
            key = self._scalar(key_node)
            if key in found:
                self._note(key_node, "catalog.repeated_key", f"键“{key}”重复，请删去其中一个。")
            inner = (*place, key)
            self.lines[inner] = key_node.start_mark.line + 1
            found[key] = self.value(child, inner)
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        value = self.loader.construct_object(node)
        if isinstance(value, float):
            self._note(
                node, "catalog.binary_fraction", f'小数请加引号写成 "{node.value}"，以免二进制误差进入得分。'
            )
        elif isinstance(value, int) and not _PLAIN.fullmatch(node.value):
            self._note(
                node, "catalog.ambiguous", f'{node.value} 会被读成 {value}，文字请加引号写成 "{node.value}"。'
            )
        return value

    def _note(self, node: yaml.Node, code: str, message: str) -> None:
        self.problems.append(Problem(f"{self.path}:{node.start_mark.line + 1}", code, message))


def _place(dotted: str) -> Place:
    parts: list[str | int] = []
    for piece in dotted.split("."):
        name, *indexes = piece.split("[")
        if name:
            parts.append(name)
        parts.extend(int(index.rstrip("]")) for index in indexes)
    return tuple(parts)


def _invalid(path: Path, line: int, code: str, message: str) -> CatalogInvalid:
    problems: Sequence[Problem] = [Problem(f"{path}:{line}", code, message)]
    return CatalogInvalid(f"配置文件 {path.name}：{message}", problems=problems)
