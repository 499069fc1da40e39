"""
Template 评价模板: items, points, settings and bands as a province keeps them in `catalog/templates/`.

A decision pins the version in force on the day it was started. The pinned version is kept in the database as
well, so that a file edited later cannot change how a running decision is judged: an edit without a new version
number is refused.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson

from kernel.catalog import CatalogFile, read_folder
from kernel.errors import Problem
from services.decisions.conformance.rules.items import items
from services.decisions.conformance.rules.look import Settings
from services.decisions.conformance.rules.scoring import HUNDRED_MILLI, Band, Item

# Settings without which an item cannot be checked.
_NEEDED = {
    "DEC-03": ("options_when_disputed",),
    "DEC-05": ("channels_least",),
    "DEC-06": ("days_least", "shortened_score"),
    "DEC-08": ("days_before",),
    "DEC-12": ("experts_least",),
    "DEC-16": ("sections",),
    "DEC-19": ("working_days_least", "urgent_score"),
    "DEC-24": ("publish_within_working_days",),
    "DEC-25": ("archive_within_days",),
}


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template, ready to judge by."""

    id: str
    version: str
    title: str
    sample: bool
    valid_from: date
    items: tuple[Item, ...]
    settings: Mapping[str, Settings]
    bands: tuple[Band, ...]
    points: Mapping[str, str]  # 监督点 code to title
    body: str

    @property
    def digest(self) -> str:
        """Digest of everything in the file."""
        return "sha256:" + hashlib.sha256(b"decisions/template/v1\n" + self.body.encode()).hexdigest()


def load_templates(folder: Path) -> tuple[Template, ...]:
    """Every template of the folder, oldest first; raises CatalogInvalid with file and line."""
    found = []
    for file in read_folder(folder):
        problems = list(_problems(file))
        if problems:
            raise file.located(problems)
        found.append(parse(file.data))
    return tuple(sorted(found, key=lambda template: (template.valid_from, template.version)))


def parse(data: Mapping[str, Any]) -> Template:
    """A template from checked data."""
    found: list[Item] = []
    settings: dict[str, Settings] = {}
    for point, indicator, item in _items(data):
        found.append(
            Item(
                id=item["id"],
                title=item["title"],
                point=point["id"],
                indicator=indicator["id"],
                points_milli=_milli(item["points"]),
                veto=bool(item.get("veto")),
                articles=tuple(basis["article"] for basis in item["basis"]),
            )
        )
        settings[item["id"]] = {name: _setting(value) for name, value in (item.get("settings") or {}).items()}
    bands = [Band(band["id"], band["title"], _milli(band["at_least"])) for band in data["bands"]]
    return Template(
        id=data["id"],
        version=str(data["version"]),
        title=data["title"],
        sample=bool(data.get("sample")),
        valid_from=_day(data["valid_from"]),
        items=tuple(found),
        settings=settings,
        bands=tuple(sorted(bands, key=lambda band: -band.at_least_milli)),
        points={point["id"]: point["title"] for point in data["points"]},
        body=orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode(),
    )


def _problems(file: CatalogFile) -> Iterator[Problem]:
    data = file.data
    try:
        listed = [item["id"] for _, _, item in _items(data)]
        points = sum(_milli(item["points"]) for _, _, item in _items(data))
        parse(data)
    except (KeyError, TypeError, ValueError, InvalidOperation) as wrong:
        yield Problem(
            "", "decisions.template", f"模板缺少必要内容或者格式有误：{wrong!r}，请对照样例模板修改。"
        )
        return
    known = [probe.name for probe in items()]
    if sorted(listed) != known:
        yield Problem("points", "decisions.template_items", "考核项应为 DEC-01 至 DEC-26 各一项，请核对。")
    if points != HUNDRED_MILLI:
        yield Problem(
            "points", "decisions.template_sum", f"各项分值之和应为100，现为{Decimal(points) / 1000}。"
        )
    for p, point in enumerate(data["points"]):
        for i, indicator in enumerate(point["indicators"]):
            for n, item in enumerate(indicator["items"]):
                lacking = [s for s in _NEEDED.get(item["id"], ()) if s not in (item.get("settings") or {})]
                if lacking:
                    place = f"points[{p}].indicators[{i}].items[{n}]"
                    yield Problem(place, "decisions.template_setting", f"缺少设置 {'、'.join(lacking)}。")


def _items(data: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    for point in data["points"]:
        for indicator in point["indicators"]:
            for item in indicator["items"]:
                yield point, indicator, item


def _setting(value: object) -> int | bool:
    """Whole numbers and switches as they are; a quoted decimal is a part of the score, in thousandths."""
    return _milli(value) if isinstance(value, str) else int(value)  # type: ignore[call-overload]


def _milli(value: object) -> int:
    scaled = Decimal(str(value)) * 1000
    if scaled != int(scaled):
        raise ValueError(f"{value} has more than three decimals")
    return int(scaled)


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
