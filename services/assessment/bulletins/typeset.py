"""
Bulletins as PDF, set with Typst; fonts are embedded, and without a Chinese font nothing is made.

The bulletin's data goes in as JSON and bulletin.typ is all of the layout, so text from people is never read as
commands. The same file draws the chart alone, for the DOCX.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

import typst

from kernel.errors import TemporaryError
from services.assessment.bulletins.rules import KINDS, SHOWN, Bulletin, percent

_LAYOUT = Path(__file__).with_name("bulletin.typ")
_FAMILIES = ("Noto Serif CJK SC", "Source Han Serif SC", "SimSun", "Noto Sans CJK SC")


class NoChineseFont(TemporaryError):
    """The machine has no font to set Chinese with."""

    code: ClassVar[str] = "assessment.no_chinese_font"
    message: ClassVar[str] = "服务器上没有中文字体，无法生成 PDF；请安装 fonts-noto-cjk 后重试。"


def pdf(bulletin: Bulletin) -> bytes:
    """The bulletin as PDF. Raises NoChineseFont."""
    return _compiled(bulletin, "whole", "pdf")


def chart(bulletin: Bulletin) -> bytes:
    """The chart of the bulletin as PNG. Raises NoChineseFont."""
    return _compiled(bulletin, "chart", "png")


def _compiled(bulletin: Bulletin, part: str, form: Literal["pdf", "png"]) -> bytes:
    inputs = {"data": json.dumps(_data(bulletin), ensure_ascii=False), "part": part, "font": _font()}
    made = typst.compile(str(_LAYOUT), format=form, sys_inputs=inputs, ppi=200)
    if not isinstance(made, bytes):  # several pages come as a list; a chart has one, a PDF is one
        raise TypeError("a bulletin is one document")
    return made


@cache
def _font() -> str:
    families = {font.family for font in typst.Fonts().fonts()}
    found = next((family for family in _FAMILIES if family in families), None)
    if found is None:
        raise NoChineseFont()
    return found


def _data(bulletin: Bulletin) -> dict[str, object]:
    scored = bulletin.scored
    return {
        "kind": KINDS[bulletin.kind],
        "title": bulletin.title,
        "period": bulletin.period_words,
        "group": bulletin.group_title,
        "framework": bulletin.framework_title,
        "published_on": bulletin.published_on,
        "at_seq": bulletin.at_seq,
        "witnesses": bulletin.witnesses,
        "notice": bulletin.notice,
        "units": len(bulletin.lines),
        "unscored": len(bulletin.lines) - len(scored),
        "tiers": [[tier, [line.name for line in lines]] for tier, lines in sorted(bulletin.tiers.items())],
        "bars": [[line.name, line.score, line.tier] for line in scored[:SHOWN]],
        "rows": [
            [
                str(line.rank or "—"),
                f"{line.interval[0]}–{line.interval[1]}" if line.interval else "—",
                str(line.tier or "—"),
                line.name,
                line.score or "无法计算",
                percent(line.coverage),
                line.contested if line.contested != "0.0000" else "",
            ]
            for line in bulletin.lines
        ],
        "moved": [[one.name, one.before, one.now] for one in bulletin.moved[:SHOWN]],
        "weakest": list(bulletin.weakest),
        "supervision": asdict(bulletin.supervision),
    }
