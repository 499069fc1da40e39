"""Bulletins as DOCX, for offices that go on writing in them: headings, paragraphs, the chart, the whole table."""

import io
from collections.abc import Iterator

from docx import Document
from docx.document import Document as Doc
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from services.assessment.bulletins.rules import KINDS, Bulletin, percent

FONT = "宋体"
HEADINGS = ("名次", "区间", "档次", "单位", "得分", "覆盖率", "争议分")


def docx(bulletin: Bulletin, chart: bytes) -> bytes:
    """The bulletin as DOCX; `chart` is a PNG."""
    document = Document()
    normal = document.styles["Normal"]
    normal.font.name = FONT
    normal.font.size = Pt(11)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    document.core_properties.title = bulletin.title
    document.add_heading(bulletin.title, 0)
    document.add_paragraph(
        f"{KINDS[bulletin.kind]} · {bulletin.group_title} · {bulletin.period_words} · {bulletin.published_on} 公布"
    )
    for heading, paragraphs in _chapters(bulletin):
        document.add_heading(heading, 1)
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
        if heading.startswith("二"):
            document.add_picture(io.BytesIO(chart), width=Cm(15))
    _table(document, bulletin)
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def _chapters(bulletin: Bulletin) -> Iterator[tuple[str, list[str]]]:
    unscored = len(bulletin.lines) - len(bulletin.scored)
    yield (
        "一、总体情况",
        [
            *([bulletin.notice] if bulletin.notice else []),
            (
                f"本次考核{bulletin.group_title}共 {len(bulletin.lines)} 个单位，其中 {unscored} 个单位因缺少数据暂无得分。"
                f"得分依据《{bulletin.framework_title}》，由存证账本前 {bulletin.at_seq} 条计分事件计算，"
                f"检查点经 {bulletin.witnesses} 个独立见证方共同签署。"
            ),
            *(
                f"第 {tier} 档（{len(lines)} 个）：{'、'.join(line.name for line in lines)}。"
                for tier, lines in sorted(bulletin.tiers.items())
            ),
        ],
    )
    yield "二、得分靠前的单位", []
    moves = "；".join(f"{one.name}由第 {one.before} 名到第 {one.now} 名" for one in bulletin.moved)
    yield "三、名次变化", [f"{moves}。" if moves else "与上次公布相比，没有超出名次区间的变化。"]
    weak = "、".join(f"{title}（{mean}）" for title, mean in bulletin.weakest)
    yield "四、薄弱环节", [f"各单位平均得分较低的方面：{weak}。" if weak else "暂无可比较的数据。"]
    done = bulletin.supervision
    yield (
        "五、预警与督办整改",
        [
            (
                f"考核期内发出预警 {done.warnings} 次，立督办单 {done.opened} 件，办结 {done.closed} 件，"
                f"逾期 {done.overdue} 件；受理申诉 {done.objections} 件。"
            )
        ],
    )
    yield "六、完整名次", []


def _table(document: Doc, bulletin: Bulletin) -> None:
    table = document.add_table(rows=1, cols=len(HEADINGS))
    table.style = "Light Grid Accent 1"
    for cell, title in zip(table.rows[0].cells, HEADINGS, strict=True):
        cell.text = title
    for line in bulletin.lines:
        written = (
            str(line.rank or "—"),
            f"{line.interval[0]}–{line.interval[1]}" if line.interval else "—",
            str(line.tier or "—"),
            line.name,
            line.score or "无法计算",
            percent(line.coverage),
            line.contested if line.contested != "0.0000" else "",
        )
        for cell, text in zip(table.add_row().cells, written, strict=True):
            cell.text = text
