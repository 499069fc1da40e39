"""
Everything behind a ranking as XLSX 数据下载: places, every result of every unit, the tallies they were counted from.

Written row by row without holding the book in memory. Codes stay text, numbers that are numbers stay numbers, and
nothing that people wrote is ever a formula (R47).
"""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import xlsxwriter

from services.assessment.explanation.rules import STATUS_WORDS
from services.assessment.ranking.boards import Board
from services.assessment.ranking.rules import points_text, share_text
from services.assessment.scoring.log import COUNTS
from services.assessment.scoring.rules import NodeScore, roll_up

MOST_ROWS = 1_048_000
RANKING = ("名次", "单位代码", "单位", "得分", "覆盖率", "一票否决")
RESULTS = ("单位代码", "成果编码", "成果", "分值", "状态", "可计算分值", "得分", "覆盖率", "对总分的贡献")
TALLIES = (
    "单位代码",
    "探针",
    "符合",
    "不符合",
    "得分合计（千分）",
    "不适用",
    "无法计算",
    "未到期",
    "分子",
    "分母",
    "报送",
    "录入",
    "实时",
    "外部",
)


def write(board: Board, path: Path, mark: str) -> None:
    """Write the workbook of a board; `mark` says in every footer who took it and when."""
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format({"bold": True, "bg_color": "#EDF3FA"})
    for title, columns, rows in (
        ("排名", RANKING, _ranking(board)),
        ("成果得分", RESULTS, _results(board)),
        ("计数", TALLIES, _tallies(board)),
    ):
        _written(book, title, columns, rows, head, mark)
    book.close()


def _written(
    book: xlsxwriter.Workbook,
    title: str,
    columns: Sequence[str],
    rows: Iterator[Sequence[Any]],
    head: Any,
    mark: str,
) -> None:
    """Rows on a sheet, and on further ones where a spreadsheet program could not open more."""
    for number in count(1):
        sheet = book.add_worksheet(title if number == 1 else f"{title}{number}")
        sheet.freeze_panes(1, 0)
        sheet.set_footer(f"&L{mark}")
        sheet.set_column(0, len(columns) - 1, 16)
        for column, heading in enumerate(columns):
            sheet.write_string(0, column, heading, head)
        line = 0
        for line, row in enumerate(islice(rows, MOST_ROWS), start=1):
            for column, value in enumerate(row):
                write = sheet.write_number if isinstance(value, int) else sheet.write_string
                write(line, column, value)
        if line < MOST_ROWS:
            return


def _ranking(board: Board) -> Iterator[Sequence[Any]]:
    for place in board.standings:
        total = board.totals[place.unit]
        yield (
            place.rank if place.rank is not None else "无法计算",
            place.unit,
            board.units[place.unit].name,
            "" if total.score is None else points_text(total.score),
            share_text(total.coverage),
            total.vetoes,
        )


def _results(board: Board) -> Iterator[Sequence[Any]]:
    for unit in board.units:
        tree = roll_up(board.framework, board.group.id, board.states.get(unit, {}))
        for leaf in _leaves(tree):
            yield (
                unit,
                leaf.node.code,
                leaf.node.title,
                points_text(leaf.points),
                STATUS_WORDS[leaf.status].partition("：")[0],
                points_text(leaf.amounts.applicable),
                points_text(leaf.amounts.earned),
                share_text(leaf.coverage),
                points_text(leaf.contribution),
            )


def _tallies(board: Board) -> Iterator[Sequence[Any]]:
    for unit in board.units:
        for probe, state in sorted(board.states.get(unit, {}).items()):
            yield (unit, probe, *(getattr(state, name) for name in COUNTS))


def _leaves(tree: NodeScore) -> Iterator[NodeScore]:
    if not tree.children:
        yield tree
    for child in tree.children:
        yield from _leaves(child)
