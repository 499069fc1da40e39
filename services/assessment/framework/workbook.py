"""
Frameworks as workbooks: written for people to mend, read back into the same document.

Four sheets: 体系 (one line a property), 类别 (peer groups), 指标 (one row a node, with the code of its parent) and
分值 (points of each node, a column a peer group). What a reader would not see is refused: formulas, merged cells,
hidden rows and sheets; so are codes that came as numbers. `Handed.located` turns the problems of rules.py into cells.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from kernel.errors import Invalid, Problem
from kernel.files.package import PackageLimits
from kernel.files.workbook import Workbook, open_sheets
from services.assessment.framework.rules import FrameworkInvalid

LIMITS = PackageLimits(area="assessment")
MOST_ROWS = 5_000
WHOLE, GROUPS, NODES, POINTS = "体系", "类别", "指标", "分值"
PROPERTIES = {
    "id": "编号",
    "version": "版本",
    "title": "名称",
    "year": "年度",
    "sample": "样例",
    "notice": "说明",
    "levels": "层级",
    "counts": "数量",
    "basis": "依据",
}
COLUMNS = {
    "code": "编码",
    "parent": "上级编码",
    "title": "名称",
    "weight": "权重",
    "source": "部分来源",
    "framework": "引用体系",
    "lead": "牵头领域",
    "responsible": "责任领域",
    "warning_below": "预警线",
    "kind": "计分方法",
    "floor": "不得分线",
    "target": "满分线",
    "step": "每次比例",
    "measured": "按数量计算",
    "responses_at_least": "有效样本下限",
    "probes": "探针",
    "veto_below": "一票否决线",
    "service": "数据来源",
    "evidence": "查验材料",
    "basis": "依据",
}
GROUP_COLUMNS = {
    "id": "编号",
    "title": "名称",
    "kinds": "单位类型",
    "levels": "单位层级",
    "events": "计分范围",
}
METHOD = ("kind", "floor", "target", "step", "measured", "responses_at_least")
LISTS = ("responsible", "probes", "levels", "kinds")
NUMBERS = ("year", "weight", "warning_below", "floor", "target", "step", "responses_at_least", "veto_below")
YES = "是"
_SPLIT = re.compile(r"[；;，,、\s]+")
_ROW = re.compile(r"rows\[(\d+)\](?:\.([a-z_]+)(?:[.\[]([^\].]+))?)?")


def workbook_of(document: Mapping[str, Any]) -> bytes:
    """A document of writing.py as a workbook; every cell is text."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        bold, text = (
            book.add_format({"bold": on, "num_format": "@", "text_wrap": True}) for on in (True, False)
        )

        def sheet(
            name: str, headers: Sequence[str], rows: Iterable[Sequence[str]], *, freeze: int = 1
        ) -> None:
            made = book.add_worksheet(name)
            made.freeze_panes(1, freeze)
            made.set_column(0, len(headers) - 1, 16, text)
            for line, row in enumerate([headers, *rows]):
                for column, cell in enumerate(row):
                    if cell:
                        made.write_string(line, column, cell, text if line else bold)

        rows = list(_flat(document))
        groups = [group["id"] for group in document["peer_groups"]]
        titles = [f"{group['title']} {group['id']}" for group in document["peer_groups"]]
        sheet(
            WHOLE,
            ["项目", "内容"],
            ((word, _cell(key, document.get(key))) for key, word in PROPERTIES.items()),
        )
        sheet(
            GROUPS,
            list(GROUP_COLUMNS.values()),
            ([_cell(key, group[key]) for key in GROUP_COLUMNS] for group in document["peer_groups"]),
        )
        sheet(
            NODES,
            list(COLUMNS.values()),
            ([_cell(key, row.get(key)) for key in COLUMNS] for row in rows),
            freeze=3,
        )
        sheet(
            POINTS,
            ["编码", *titles],
            (
                [row["code"], *(row["points"].get(group, "") for group in groups)]
                for row in rows
                if "points" in row
            ),
        )
    return packed.getvalue()


def _flat(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    def walk(raw: Mapping[str, Any], parent: str) -> Iterable[dict[str, Any]]:
        row = {key: value for key, value in raw.items() if key not in ("children", "nodes", "method")}
        yield row | dict(raw.get("method", {})) | {"parent": parent}
        for child in (*raw.get("nodes", ()), *raw.get("children", ())):
            yield from walk(child, raw["code"])

    for top in document.get("components", document.get("nodes", ())):
        yield from walk(top, "")


def _cell(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return YES
    if key == "basis":
        return "\n".join("｜".join((one["document"], one["version"], one["article"])) for one in value)
    if key == "counts":
        return "；".join(f"{level}={count}" for level, count in value.items())
    return "；".join(value) if isinstance(value, list) else str(value)


@dataclass
class Handed:
    """A workbook handed in: its document for rules.py, and where each part of it stands."""

    document: dict[str, Any]
    lines: list[int] = field(default_factory=list)
    point_lines: dict[str, int] = field(default_factory=dict)
    point_columns: dict[str, int] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    property_lines: dict[str, int] = field(default_factory=dict)

    def located(self, problems: Iterable[Problem]) -> FrameworkInvalid:
        """The same problems, each with sheet and cell, as one error to raise."""
        return FrameworkInvalid(
            problems=[
                Problem(self.place(problem.path), problem.code, problem.message) for problem in problems
            ]
        )

    def place(self, path: str) -> str:
        """The cell of a dotted path, such as "指标!C12"."""
        match = _ROW.match(path)
        if match is None:
            key = re.split(r"[.\[]", path)[0]
            if key in self.property_lines:
                return f"{WHOLE}!B{self.property_lines[key]}"
            return GROUPS if key == "peer_groups" else POINTS if key == "nodes" else NODES
        index, key, below = int(match[1]), match[2] or "code", match[3]
        code = self.document["rows"][index].get("code", "")
        if key == "points" and code in self.point_lines:
            column = self.point_columns.get(below or "", 0)
            return f"{POINTS}!{xl_col_to_name(column)}{self.point_lines[code]}"
        name = below if key == "method" and below in self.columns else "kind" if key == "method" else key
        return f"{NODES}!{xl_col_to_name(self.columns.get(name or '', 0))}{self.lines[index]}"


def read_workbook(content: bytes) -> Handed:
    """The document in a workbook. Raises Invalid (cells named), TooLarge."""
    sheets = open_sheets(content, LIMITS)
    _refuse_oddities(sheets)
    missing = [name for name in (WHOLE, GROUPS, NODES, POINTS) if name not in sheets]
    if missing:
        raise Invalid(
            f"缺少工作表：{'、'.join(missing)}；请用导出的文件修改后上传。", code="assessment.missing_sheet"
        )
    reader = _Cells()
    handed = Handed({})
    _read_whole(reader, sheets[WHOLE], handed)
    handed.document["peer_groups"] = [
        _with_lists(row) for _, row in reader.table(sheets[GROUPS], GROUPS, GROUP_COLUMNS)
    ]
    points = _read_points(reader, sheets[POINTS], handed)
    handed.columns = reader.headers(sheets[NODES], COLUMNS)
    rows = []
    for line, row in reader.table(sheets[NODES], NODES, COLUMNS):
        handed.lines.append(line)
        rows.append(_node(row, points.pop(str(row.get("code", "")), None)))
    for code in points:
        reader.note(
            f"{POINTS}!A{handed.point_lines[code]}", "unknown_code", f"指标表中没有编码 {code}，请核对。"
        )
    handed.document["rows"] = rows
    if reader.problems:
        raise FrameworkInvalid(problems=reader.problems)
    return handed


def _refuse_oddities(sheets: Mapping[str, Workbook]) -> None:
    problems: list[Problem] = []
    for name, sheet in sheets.items():
        odd = sheet.oddities
        problems += [
            Problem(f"{name}!{cell}", "formula", "此格是公式，请改为数值或文字后上传。")
            for cell in odd.formulas
        ]
        problems += [
            Problem(f"{name}!{area}", "merged", "请取消合并单元格，逐格填写。") for area in odd.merged
        ]
        problems += [
            Problem(f"{name}!第{row}行", "hidden_row", "此行被隐藏，请取消隐藏或删除。")
            for row in odd.hidden_rows
        ]
    hidden = next(iter(sheets.values())).hidden_sheets
    problems += [Problem(name, "hidden_sheet", "此工作表被隐藏，请取消隐藏或删除。") for name in hidden]
    if problems:
        raise FrameworkInvalid(problems=problems)


@dataclass
class _Cells:
    """Reads cells as text, noting what is not."""

    problems: list[Problem] = field(default_factory=list)

    def note(self, place: str, code: str, message: str) -> None:
        self.problems.append(Problem(place, code, message))

    def headers(self, sheet: Workbook, columns: Mapping[str, str]) -> dict[str, int]:
        """Key -> column, by the words of the first row."""
        first = next(iter(sheet.rows()), (1, []))[1]
        found = {str(cell).strip(): index for index, cell in enumerate(first) if str(cell).strip()}
        return {key: found[word] for key, word in columns.items() if word in found}

    def table(
        self, sheet: Workbook, name: str, columns: Mapping[str, str]
    ) -> list[tuple[int, dict[str, str]]]:
        """(line, key -> text) of every row that is not blank."""
        places = self.headers(sheet, columns)
        rows: list[tuple[int, dict[str, str]]] = []
        for line, cells in sheet.rows():
            if line == 1 or not any(str(cell).strip() for cell in cells):
                continue
            if len(rows) == MOST_ROWS:
                self.note(f"{name}!第{line}行", "too_many_rows", f"最多 {MOST_ROWS} 行，请精简后上传。")
                break
            row = {
                key: text
                for key, column in places.items()
                if column < len(cells)
                and (text := self.text(cells[column], f"{name}!{xl_col_to_name(column)}{line}", key))
            }
            rows.append((line, row))
        if not rows:
            self.note(name, "empty_sheet", f"工作表“{name}”没有内容，请填写后上传。")
        return rows

    def text(self, cell: object, place: str, key: str) -> str:
        """A cell as text; a number only where a number belongs, for a spreadsheet alters codes that look like one."""
        if isinstance(cell, str):
            return cell if key in ("title", "notice", "service", "evidence", "basis") else cell.strip()
        if isinstance(cell, bool):
            return YES if cell else ""
        if isinstance(cell, (int, float)) and key in (*NUMBERS, "points"):
            return repr(cell).removesuffix(".0")
        kind = "数字" if isinstance(cell, (int, float)) else "日期"
        self.note(place, "not_text", f"此格是{kind}，表格软件可能已改动原值，请设为文本格式后重新填写。")
        return ""


def _read_whole(reader: _Cells, sheet: Workbook, handed: Handed) -> None:
    keys = {word: key for key, word in PROPERTIES.items()}
    for line, cells in sheet.rows():
        key = keys.get(str(cells[0]).strip()) if cells else None
        if key is None:
            continue
        handed.property_lines[key] = line
        text = reader.text(cells[1], f"{WHOLE}!B{line}", key) if len(cells) > 1 else ""
        if not text:
            continue
        value: Any = text
        if key == "year":
            value = int(text) if text.isascii() and text.isdigit() else text
        elif key == "sample":
            value = text == YES
        elif key == "counts":
            pairs = (part.partition("=") for part in _SPLIT.split(text))
            value = {level: int(n) if n.isascii() and n.isdigit() else n for level, _, n in pairs}
        elif key == "basis":
            value = _bases(text)
        elif key == "levels":
            value = _SPLIT.split(text.strip())
        handed.document[key] = value


def _read_points(reader: _Cells, sheet: Workbook, handed: Handed) -> dict[str, dict[str, str]]:
    points: dict[str, dict[str, str]] = {}
    for line, cells in sheet.rows():
        if line == 1:
            heads = [str(cell).split() for cell in cells]
            handed.point_columns = {words[-1]: index for index, words in enumerate(heads) if index and words}
            continue
        if not any(str(cell).strip() for cell in cells):
            continue
        code = reader.text(cells[0], f"{POINTS}!A{line}", "code")
        if code in points:
            reader.note(f"{POINTS}!A{line}", "duplicate_code", f"编码 {code} 已在前面出现，请合并为一行。")
        handed.point_lines[code] = line
        points[code] = {
            group: text
            for group, column in handed.point_columns.items()
            if column < len(cells)
            and (text := reader.text(cells[column], f"{POINTS}!{xl_col_to_name(column)}{line}", "points"))
        }
    return points


def _node(row: Mapping[str, str], points: Mapping[str, str] | None) -> dict[str, Any]:
    node: dict[str, Any] = _with_lists({key: value for key, value in row.items() if key not in METHOD})
    method: dict[str, Any] = {key: row[key] for key in METHOD if key in row}
    if "measured" in method:
        method["measured"] = method["measured"] == YES
    least = method.get("responses_at_least", "")
    if least.isascii() and least.isdigit():
        method["responses_at_least"] = int(least)
    if method:
        node["method"] = method
    if "basis" in node:
        node["basis"] = _bases(node["basis"])
    return node if points is None else node | {"points": points}


def _with_lists(row: Mapping[str, str]) -> dict[str, Any]:
    return {key: _SPLIT.split(value.strip()) if key in LISTS else value for key, value in row.items()}


def _bases(text: str) -> list[dict[str, str]]:
    rows = (line.split("｜") for line in text.splitlines() if line.strip())
    return [dict(zip(("document", "version", "article"), row, strict=False)) for row in rows]
