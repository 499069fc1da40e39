"""
A case file read and checked 核验: bytes in, report and read rows out. Nothing is written here.

Rows stream through in chunks; what is kept in memory are the keys of rows seen (for repeats inside the file)
and the compressed chunks that a confirmation will store.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from kernel.access.principal import Principal
from services.enforcement.areas import WHOLE_TREE
from services.enforcement.cases.bodies import DecidingBodies
from services.enforcement.cases.files.table import Table, open_table
from services.enforcement.cases.model import CASES
from services.enforcement.cases.report import CORRECTION, ImportReport
from services.enforcement.cases.rules.columns import HEADER_IN_FIRST_ROWS, ColumnSet, Header
from services.enforcement.cases.rules.faults import Fault, Notice, shown
from services.enforcement.cases.rules.record import CaseRecord, number_key
from services.enforcement.cases.rules.rows import RowReader, is_blank, is_total

CHUNK = 500
MOST_ROWS_NAMED = 10
Progress = Callable[[int], None]
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """One good row: its number in the file, the unit of the body, the record, and the digest of what it corrects."""

    row: int
    unit: str
    record: CaseRecord
    former: str = ""

    @property
    def key(self) -> Key:
        """What tells one case from another: unit, kind and document number."""
        return self.unit, self.record.kind, number_key(self.record.number)


@dataclass(slots=True)
class Reading:
    """One file on its way through the checks."""

    session: Session
    who: Principal
    columns: ColumnSet
    today: date
    report: ImportReport
    parts: list[bytes] = field(default_factory=list)
    _seen: dict[Key, int] = field(default_factory=dict)
    _deciding: DecidingBodies = field(init=False)
    _bodies: set[str] = field(default_factory=set)
    _masked: int = 0

    def __post_init__(self) -> None:
        self._deciding = DecidingBodies(self.session)

    def read(self, data: bytes, name: str, progress: Progress | None = None) -> None:
        """Read all; the report and `parts` are filled. Raises Invalid when the file cannot be opened at all."""
        table = open_table(data, name)
        self._note_file(table)
        rows = iter(table.rows)
        header = self._header(rows)
        if header is None:
            return
        self.report.add(*header.faults)
        self.report.notices.extend(header.notices)
        if header.faults:
            return
        self._note_oddities(table, header.row)
        for chunk in self._chunks(RowReader(header, self.today), rows):
            self._take(chunk)
            if progress is not None:
                progress(self.report.rows)
        self.report.units = len(self._bodies)
        if not self.report.rows:
            self.report.add(
                Fault(header.row, "", "enforcement.no_rows", "", "表头之下没有数据行，请核对文件。")
            )
        if self._masked:
            message = f"{self._masked} 行的相对人为自然人：证件号码不入库，姓名已脱敏。"
            self.report.notices.append(Notice("enforcement.persons_masked", message))

    def _header(self, rows: Iterator[tuple[int, list[object]]]) -> Header | None:
        for number, cells in rows:
            header = self.columns.match(number, cells)
            if header is not None:
                return header
            if number >= HEADER_IN_FIRST_ROWS:
                break
        message = f"前 {HEADER_IN_FIRST_ROWS} 行中没有找到表头，请使用模板中的列名。"
        self.report.add(Fault(1, "", "enforcement.no_header", "", message))
        return None

    def _note_file(self, table: Table) -> None:
        add = self.report.notices.append
        if table.encoding == "gb18030":
            add(Notice("enforcement.encoding", "文件为 GB18030（GBK）编码，已按此读取。"))
        if not table.is_lossless:
            add(
                Notice("enforcement.encoding_damage", "文件中有无法识别的字符，已以 � 代替，请核对后再确认。")
            )
        if table.hidden_sheets:
            names = "、".join(shown(name) for name in table.hidden_sheets[:MOST_ROWS_NAMED])
            add(Notice("enforcement.hidden_sheet", f"隐藏的工作表未读取：{names}。"))

    def _note_oddities(self, table: Table, header_row: int) -> None:
        odd = table.oddities
        if odd.formulas:
            cells = "、".join(filter(None, odd.formulas))
            message = "含有公式，不采用其缓存结果；请复制后“选择性粘贴—数值”再上传。"
            self.report.add(Fault(0, "", "enforcement.formula", cells, message))
        if hidden := [row for row in odd.hidden_rows if row > header_row]:
            rows = "、".join(str(row) for row in hidden[:MOST_ROWS_NAMED])
            self.report.add(
                Fault(hidden[0], "", "enforcement.hidden_row", rows, "有隐藏的行，请取消隐藏或删除后上传。")
            )
        for cells in odd.merged:
            last = int("".join(c for c in cells.split(":")[-1] if c.isdigit()))
            if last >= header_row:
                message = "有合并的单元格，请取消合并并逐格填写。"
                self.report.add(Fault(last, "", "enforcement.merged_cells", cells, message))

    def _chunks(
        self, reader: RowReader, rows: Iterator[tuple[int, list[object]]]
    ) -> Iterator[list[tuple[int, CaseRecord]]]:
        chunk: list[tuple[int, CaseRecord]] = []
        for number, cells in rows:
            if is_blank(cells):
                continue
            self.report.rows += 1
            if is_total(cells):
                message = "这是合计行，请删除后上传。"
                self.report.add(Fault(number, "", "enforcement.totals_row", shown(cells[0]), message))
                continue
            record, faults = reader.read(number, cells)
            self.report.add(*faults)
            if record is not None:
                chunk.append((number, record))
            if len(chunk) >= CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _take(self, chunk: list[tuple[int, CaseRecord]]) -> None:
        self._deciding.learn({record.body_code for _, record in chunk})
        reads = [read for number, record in chunk if (read := self._owned(number, record)) is not None]
        stored = self._stored(reads)
        fresh = [read for read in reads if self._is_fresh(read, stored.get(read.key))]
        good = [replace(read, former=stored.get(read.key, "")) for read in fresh]
        for read in good:
            self.report.count(read.record.kind, read.record.decided_on)
            self._bodies.add(read.unit)
            self._masked += read.record.party_kind == "person"
        if good and not self.report.fault_count:
            self.parts.append(pack(good))

    def _owned(self, row: int, record: CaseRecord) -> Read | None:
        unit = self._deciding.on(record.body_code, record.decided_on)
        if unit is None:
            message = "该代码不在执法主体名录和单位目录中，请核对 18 位统一社会信用代码，或先登记执法主体。"
            code = "enforcement.unknown_body"
            if record.body_code.isdigit() and record.body_code.endswith("000"):
                code = "enforcement.number_ruined"
                message = "代码后几位为 0，疑似被 Excel 改成数值而丢失；请将该列设为“文本”格式后重新录入。"
            self.report.add(Fault(row, "决定机关统一社会信用代码", code, record.body_code, message))
            return None
        code, path = unit
        if self.who.unit_path != WHOLE_TREE and not self.who.reaches(path):
            message = "该机关不在您的管辖范围内，请由其本单位或上级单位导入。"
            self.report.add(
                Fault(row, "决定机关统一社会信用代码", "enforcement.foreign_body", record.body_code, message)
            )
            return None
        return Read(row, code, record)

    def _is_fresh(self, read: Read, stored: str | None) -> bool:
        """Whether a row is to be written; repeats and contradictions are faults."""
        number = shown(read.record.number)
        if (first := self._seen.setdefault(read.key, read.row)) != read.row:
            message = f"与第 {first} 行是同一机关的同一文号，请删去重复的一行。"
            self.report.add(Fault(read.row, "决定书文号", "enforcement.repeated_row", number, message))
            return False
        if self.report.purpose == CORRECTION:
            return self._corrects(read, stored, number)
        if stored is None:
            return True
        if stored == read.record.digest:
            code, message = "enforcement.case_exists", "该案件已经导入且内容相同，请从文件中删去这一行。"
        else:
            code, message = (
                "enforcement.case_differs",
                "该案件已经导入而内容不同，如需更正，请以“更正”方式导入。",
            )
        self.report.add(Fault(read.row, "决定书文号", code, number, message))
        return False

    def _corrects(self, read: Read, stored: str | None, number: str) -> bool:
        if stored is None:
            message = "更正的案件尚未导入过，请改用普通方式导入。"
            self.report.add(Fault(read.row, "决定书文号", "enforcement.nothing_to_correct", number, message))
            return False
        self.report.unchanged += stored == read.record.digest
        return stored != read.record.digest

    def _stored(self, reads: list[Read]) -> dict[Key, str]:
        """Digests of those of these cases that are stored already."""
        keys = tuple_(CASES.c.unit, CASES.c.kind, CASES.c.number_key)
        wanted = [read.key for read in reads]
        rows = self.session.execute(
            select(CASES.c.unit, CASES.c.kind, CASES.c.number_key, CASES.c.digest).where(keys.in_(wanted))
        )
        return {(row.unit, row.kind, row.number_key): row.digest for row in rows}


def pack(reads: list[Read]) -> bytes:
    """Good rows as they are kept until the file is confirmed."""
    rows = [[r.row, r.unit, r.record.stored().decode(), r.former] for r in reads]
    return zlib.compress(orjson.dumps(rows), 3)


def unpack(body: bytes) -> list[Read]:
    """The inverse of `pack`."""
    return [
        Read(row, unit, CaseRecord.restored(raw), *former)
        for row, unit, raw, *former in orjson.loads(zlib.decompress(body))
    ]
