"""
Reading a document of the catalog piece by piece, gathering what is wrong with it.

Every method returns something usable, so that reading goes on and all faults are told at once. tree.py reads nodes
with it, rules.py the whole document.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.findings import Basis
from kernel.errors import Problem
from kernel.text import has_controls
from services.assessment.framework.values import MICRO

_DECIMAL = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?")
_NO_CHARACTER = re.compile(r"[\ufffe\uffff]")
MOST_CHARACTERS = 5_000  # of a text; no cell of a workbook holds more than 32,767
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def micro(value: object) -> int | None:
    """Micro-units of a decimal with at most six places, given as text or integer; None when it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value * MICRO if 0 <= value < MICRO else None
    match = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    return int(match[1]) * MICRO + int((match[2] or "").ljust(6, "0"))


@dataclass
class Reading:
    """
    The problems found so far, and the kinds of value a document may hold.

    `is_new`: nobody published it yet, so it is held to what every database and every form of a file can carry.
    """

    problems: list[Problem] = field(default_factory=list)
    is_new: bool = False

    def milli(self, data: Mapping[str, Any], key: str, path: str, *, default: int) -> int:
        """A share 0..1 with at most three decimals, in thousandths."""
        if key not in data:
            return default
        value = micro(data[key])
        if value is None or value > MICRO or value % 1000:
            self.note(join(path, key), "rate", '比率应为带引号的 0 至 1 的小数，最多三位，例如 "0.95"。')
            return default
        return value // 1000

    def whole(self, data: Mapping[str, Any], key: str, path: str) -> int:
        """A whole number, 0 where it is not given."""
        value = data.get(key, 0)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000:
            return value
        self.note(join(path, key), "whole", f"“{key}”应为不超过一百万的非负整数。")
        return 0

    def code(self, data: Mapping[str, Any], path: str) -> str:
        """The `id` or `code` of a thing; a made-up one that cannot collide where it is missing."""
        key = "id" if "id" in data else "code"
        value = data.get(key)
        if isinstance(value, str) and _CODE.fullmatch(value):
            return value
        self.note(join(path, key), "code", "编码应为字母、数字、点和连字符，不超过 64 个字符。")
        return f"?{path}"

    def text(
        self,
        data: Mapping[str, Any],
        key: str,
        path: str,
        *,
        required: bool = True,
        most: int = MOST_CHARACTERS,
    ) -> str:
        """Text that is not blank, if it is required."""
        value = data.get(key, "")
        if isinstance(value, str) and (value.strip() or not required):
            if self.is_new and (len(value) > most or has_controls(value) or _NO_CHARACTER.search(value)):
                words = f"“{key}”应为不超过 {most} 个字符的文字，不含控制字符和未定义的字符。"
                self.note(join(path, key), "characters", words)
            return value
        self.note(join(path, key), "text", f"请填写“{key}”，以文字形式（数字和日期请加引号）。")
        return ""

    def list_of(self, data: Mapping[str, Any], key: str, path: str, *, required: bool = True) -> list[Any]:
        """A list; with something in it, if it is required."""
        value = data.get(key)
        if isinstance(value, list) and (value or not required):
            return value
        if required or value is not None:
            self.note(join(path, key), "list", f"“{key}”应为至少一项的列表。")
        return []

    def mapping(self, raw: object, path: str) -> Mapping[str, Any]:
        """Keys and values."""
        if isinstance(raw, dict):
            return raw
        self.note(path, "mapping", "此处应为键值形式。")
        return {}

    def note(self, path: str, code: str, message: str) -> None:
        """Remember a problem."""
        self.problems.append(Problem(path, code, message))

    def bases(self, data: Mapping[str, Any], path: str) -> tuple[Basis, ...]:
        """Legal bases 依据 under `basis`."""
        found = []
        for index, raw in enumerate(self.list_of(data, "basis", path, required=False)):
            place = join(path, f"basis[{index}]")
            row = self.mapping(raw, place)
            basis = Basis(*(self.text(row, key, place) for key in ("document", "version", "article")))
            parts = (basis.document, basis.version, basis.article)
            if self.is_new and any("｜" in part or part.splitlines() not in ([], [part]) for part in parts):
                self.note(place, "basis", "依据的文件、版本、条不能含有“｜”和换行。")
            found.append(basis)
        return tuple(found)


def join(path: str, key: str) -> str:
    """The dotted path of a key below a path."""
    return f"{path}.{key}" if path else key


def decimal(value: int) -> str:
    """Micro-units as the shortest decimal."""
    whole, part = divmod(value, MICRO)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")
