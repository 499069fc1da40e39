"""
Administrative divisions 行政区划 of one province, from the catalogue or from a folder of the public list.

The product carries Inner Mongolia (`catalog/divisions/15.csv`); others are read from the four files of
modood/Administrative-divisions-of-China. Stand-ins such as 市辖区 and 省直辖县级行政区划 are no real places:
their counties hang on the province. Cities without counties (东莞, 儋州) stand in it twice and are kept once.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CATALOG = Path(__file__).resolve().parents[3] / "catalog"

_STAND_INS = ("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划")
_TOWNSHIP_ENDS = ("街道", "镇", "乡", "苏木")


@dataclass(frozen=True, slots=True)
class Place:
    """A division with its official name; `parent` is the code of the place above."""

    code: str
    name: str
    level: int  # 1 province, 2 city or league, 3 county or banner or zone, 4 township
    parent: str
    full_name: str  # as it begins the names of its offices: 呼和浩特市新城区
    short: str  # as it begins document numbers: 新城

    @property
    def region_code(self) -> str:
        """行政区划代码, six digits, nine for townships."""
        return self.code

    @property
    def is_zone(self) -> bool:
        """Development zone 开发区: a county code 7x that no law made a county."""
        return self.level == 3 and self.code[4] == "7"

    @property
    def is_dispatched(self) -> bool:
        """A league 盟, prefecture 地区, zone or park: a dispatched organ, not a government."""
        if self.level == 2:
            return self.name.endswith(("盟", "地区"))
        return self.is_zone or (self.level == 4 and not self.name.endswith(_TOWNSHIP_ENDS))


class UnknownProvince(ValueError):
    """No divisions for this province code here."""


def places(province: str, folder: Path | None = None) -> tuple[Place, ...]:
    """All places of a province, those above before those below."""
    rows = list(_from_folder(province, folder) if folder else _from_catalog(province))
    if not rows:
        raise UnknownProvince(
            f"没有省级代码 {province} 的行政区划数据，请用 divisions 指明区划文件所在文件夹。"
        )
    made: dict[str, Place] = {}
    for code, name, level in sorted(rows, key=lambda row: (row[2], row[0])):
        if (level == 2 and name in _STAND_INS) or code in made:
            continue
        made[code] = _place(code, name, level, made)
    return tuple(made.values())


def _place(code: str, name: str, level: int, made: dict[str, Place]) -> Place:
    parent = _parent(code, level, made)
    needs_city = level == 3 and name.endswith("区") and code[4] != "7" and made[parent].level == 2
    if level < 4 and not needs_city:
        return Place(code, name, level, parent, name, _short(name))
    above = made[parent]
    head = above.full_name.removesuffix(above.name) if name.startswith(above.name) else above.full_name
    return Place(code, name, level, parent, head + name, _short(name))


def _parent(code: str, level: int, made: dict[str, Place]) -> str:
    if level == 1:
        return ""
    if level == 4:
        return code[:6]
    city = code[:4] + "00"
    return city if level == 3 and city in made else code[:2] + "0000"


def _short(name: str) -> str:
    for ending in ("自治区", "街道", "苏木", "省", "市", "盟", "区", "县", "旗", "镇", "乡"):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name[: -len(ending)]
    return name


def _from_catalog(province: str) -> Iterator[tuple[str, str, int]]:
    path = CATALOG / "divisions" / f"{province}.csv"
    if path.exists():
        for row in _read(path):
            yield row["code"], row["name"], int(row["level"])


def _from_folder(province: str, folder: Path) -> Iterator[tuple[str, str, int]]:
    for row in _read(folder / "provinces.csv"):
        if row["code"] == province:
            yield row["code"] + "0000", row["name"], 1
    for name, level, ending in (("cities.csv", 2, "00"), ("areas.csv", 3, ""), ("streets.csv", 4, "")):
        for row in _read(folder / name):
            if row["provinceCode"] == province:
                yield row["code"] + ending, row["name"], level


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
