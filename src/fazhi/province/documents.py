"""Normative documents 行政规范性文件: each maker's register of the year, from draft to filing 备案."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from fazhi.province.days import working_days_after
from fazhi.province.frame import Frame
from fazhi.province.records import NormativeDocument, Truth
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

_YEARLY = {1: 30, 2: 18, 3: 9}
_DEPARTMENTS = frozenset({"zj", "nm", "jy", "yb", "mz", "rs", "zr", "scjg"})
_SUBJECTS = (
    "城镇燃气安全管理", "公共租赁住房管理", "草原生态保护补助奖励", "城乡医疗救助", "农村牧区人居环境整治", "物业服务管理",
    "校外培训机构监管", "网络预约出租汽车管理", "政府投资项目管理", "临时救助工作", "养犬管理", "户外广告设置管理",
    "集体土地征收补偿", "中小企业扶持", "禁牧休牧管理", "食品小作坊登记管理", "道路停车管理", "供热用热管理",
)  # fmt: skip
_FORMS = ("办法", "实施细则", "规定", "管理办法（试行）", "实施意见", "通告")
_FAULTS = ("LEG-FIL-01", "LEG-REV-01", "LEG-PUB-01", "LEG-VAL-01")


def document_count(frame: Frame, seat: Seat) -> int:
    """Documents of one maker in the period: governments some, a few departments one."""
    if seat.place.level == 4 or seat.place.is_zone:
        return 0
    if seat.unit.code == seat.place.code:
        return frame.scaled(_YEARLY[seat.place.level])
    return int(seat.department in _DEPARTMENTS and seat.unit.kind == "department")


def documents(frame: Frame, seat: Seat) -> Iterator[tuple[NormativeDocument, list[Truth]]]:
    """The documents of one maker by day of signing, with what was planted in each."""
    stream = frame.stream("documents", seat.unit.code)
    signed_days = sorted(frame.season.draw(stream) for _ in range(document_count(frame, seat)))
    start = stream.below(len(_SUBJECTS))
    turn = stream.below(len(_FAULTS))
    for index, signed in enumerate(signed_days, start=1):
        subject = _SUBJECTS[(start + index) % len(_SUBJECTS)]
        fault = ""
        if stream.chance(min(500, 160 * frame.fault_factor(seat) // 1000)) or (
            index == 3 and len(signed_days) > 5
        ):
            fault = _FAULTS[turn % len(_FAULTS)]
            turn += 1
        title = subject + stream.pick(_FORMS)
        yield _document(frame, seat, stream, index=index, signed=signed, title=title, fault=fault)


def _document(
    frame: Frame, seat: Seat, stream: Stream, *, index: int, signed: date, title: str, fault: str
) -> tuple[NormativeDocument, list[Truth]]:
    number = f"{seat.label or seat.place.short + '政'}规〔{frame.year}〕{index}号"
    discussed = working_days_after(signed, -stream.between(2, 5))
    reviewed: date | None = working_days_after(discussed, -stream.between(2, 5))
    closed = working_days_after(discussed, -stream.between(15, 25))
    published: date | None = min(frame.until, working_days_after(signed, stream.between(0, 5)))
    filed: date | None = min(frame.until, working_days_after(signed, 5 + stream.between(1, 3)))
    registration = f"{seat.unit.region_code}-{frame.year}-{seat.unit.code.rpartition('-')[2]}-{index:03d}"
    expires = signed.replace(year=signed.year + (2 if "试行" in title else 5), day=min(signed.day, 28))
    used, status, why = None, "in_force", ""
    if fault == "LEG-REV-01":
        reviewed, why = None, "未经合法性审核即提请集体审议"
    elif fault == "LEG-PUB-01":
        registration, why = "", "未经统一登记、编号"
    elif fault == "LEG-FIL-01":
        filed, why = _filed_late(frame, signed)
    elif fault == "LEG-VAL-01":
        signed_before = signed - timedelta(days=6 * 366)
        expires = signed_before + timedelta(days=5 * 365)
        used, status, why = signed, "expired", "有效期届满后仍被引用"
    made = NormativeDocument(
        number=number,
        registration=registration,
        unit=seat.unit.code,
        title=f"{seat.place.full_name}{title}",
        drafted_on=working_days_after(closed, -50),
        comment_opened_on=closed - timedelta(days=32),
        comment_closed_on=closed,
        reviewed_on=reviewed,
        review_result="passed" if reviewed else "",
        deliberated_on=discussed,
        signed_on=signed,
        published_on=published,
        effective_on=(published or signed) + timedelta(days=30),
        expires_on=expires,
        filed_on=filed,
        status=status,
        used_on=used,
    )
    if not why:
        return made, []
    truth = Truth(
        subject="normative_document", key=number, probe=fault, expected="fail", unit=seat.unit.code, why=why
    )  # fmt: skip
    return (_aged(made) if fault == "LEG-VAL-01" else made), [truth]


def _filed_late(frame: Frame, signed: date) -> tuple[date | None, str]:
    """备案 long after any province's limit; a document too fresh to be late is filed in time."""
    late = working_days_after(signed, 60)
    if late > frame.until:
        return min(frame.until, working_days_after(signed, 6)), ""
    return late, "公布后60个工作日才报送备案"


def _aged(document: NormativeDocument) -> NormativeDocument:
    """The same document with every step six years earlier: only its use is of this year."""
    years = timedelta(days=6 * 366)

    def back(day: date | None) -> date | None:
        return None if day is None else day - years

    return replace(
        document,
        drafted_on=document.drafted_on - years,
        comment_opened_on=back(document.comment_opened_on),
        comment_closed_on=back(document.comment_closed_on),
        reviewed_on=back(document.reviewed_on),
        deliberated_on=document.deliberated_on - years,
        signed_on=document.signed_on - years,
        published_on=back(document.published_on),
        effective_on=document.effective_on - years,
        filed_on=back(document.filed_on),
    )
