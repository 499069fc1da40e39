"""
Clues 线索 from petition, hotline and court: each the message its system sends, in the fields agreed for its link.

The fields are those of `catalog/links` (a field nobody agreed on is refused at the gateway). When the unit
answered stands beside the message, because the sender learns it only later. Telephone numbers begin with 100,
which no operator gives to people.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fazhi.province.days import working_days_after
from fazhi.province.frame import Frame
from fazhi.province.names import firm, person
from fazhi.province.records import Clue, Row, Truth
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

_SCALES = {"hotline": 160_000, "petition": 420_000, "litigation": 900_000}  # case weight for one a year
_TOPICS = (
    ("0101", "执法不公", "反映{unit}处罚同类店铺标准不一，请求说明裁量依据"),
    ("0102", "不作为", "多次举报占道经营，{unit}一直不处理，属于不作为"),
    ("0103", "执法程序问题", "{unit}执法检查时未亮证，只有一人到场"),
    ("0104", "涉企检查频繁", "企业一个月内被{unit}检查三次，影响经营"),
    ("0105", "许可拖延", "向{unit}提交材料已满一个月，一直不答复、互相推诿"),
    ("0106", "乱收费", "{unit}要求购买指定服务才予办理，属于乱收费"),
)
_RESULTS = (
    "驳回诉讼请求",
    "驳回诉讼请求",
    "驳回诉讼请求",
    "撤销",
    "责令履行",
    "确认违法",
    "驳回起诉",
    "撤诉",
    "撤诉",
)
_LOST = frozenset({"撤销", "责令履行", "确认违法"})
_GROUNDS = ("主要证据不足", "适用法律错误", "违反法定程序", "超越职权", "明显不当")


@dataclass(frozen=True)
class _Sent:
    """One message with the sender's own deadline and the day of the answer."""

    external_id: str
    record: Row
    due: date | None
    answered: date | None


def clue_count(frame: Frame, seat: Seat, system: str) -> int:
    """Clues about one body from one system in the period."""
    if not seat.enforces:
        return 0
    scale = _SCALES[system]
    left = frame.stream("clue-count", system, seat.unit.code).below(scale)
    return frame.scaled(seat.case_weight // scale) + (left < seat.case_weight % scale)


def clues(frame: Frame, seat: Seat) -> Iterator[tuple[Clue, list[Truth]]]:
    """Clues about one body, system by system, by day, with those answered too late."""
    for system, make in _SYSTEMS.items():
        count = clue_count(frame, seat, system)
        stream = frame.stream("clues", system, seat.unit.code)
        for index, day in enumerate(sorted(frame.season.draw(stream) for _ in range(count)), start=1):
            sent = make(frame, seat, stream, index, day)
            clue = Clue(
                system=system,
                external_id=sent.external_id,
                unit=seat.unit.code,
                record=sent.record,
                due_on=sent.due,
                answered_on=sent.answered,
            )
            yield clue, _late(frame, clue)


def _late(frame: Frame, clue: Clue) -> list[Truth]:
    if clue.due_on is None or clue.due_on >= frame.until:
        return []
    if clue.answered_on is not None and clue.answered_on <= clue.due_on:
        return []
    key = f"{clue.system}|{clue.external_id}"
    why = "超过来源系统的办理期限"
    return [Truth(subject="clue", key=key, probe="GW-ANS-01", expected="fail", unit=clue.unit, why=why)]


def _answered(frame: Frame, seat: Seat, stream: Stream, begun: date, due: date) -> date | None:
    """办结: before the deadline, or as late as the unit is bad; None while open."""
    late = stream.chance(min(500, 60 * frame.fault_factor(seat) // 1000))
    span = max(2, (due - begun).days)
    day = (
        due + timedelta(days=stream.early(1, 40))
        if late
        else begun + timedelta(days=stream.between(1, span - 1))
    )
    return day if day <= frame.until else None


def _hotline(frame: Frame, seat: Seat, stream: Stream, index: int, day: date) -> _Sent:
    """A work order 工单 of the 12345 hotline."""
    code, topic, text = stream.pick(_TOPICS)
    due = working_days_after(day, 10)
    order = f"GD{seat.place.code[:6]}{day:%Y%m%d}{seat.serial:04d}{index:03d}"
    record = {
        "工单编号": order,
        "工单标题": topic,
        "主要内容": text.format(unit=seat.unit.name),
        "来电时间": f"{day.isoformat()}T{stream.between(8, 20):02d}:{stream.below(60):02d}:00+08:00",
        "办理截止时间": f"{due.isoformat()}T23:59:59+08:00",
        "行政区划代码": seat.place.code[:6],
        "承办单位编码": seat.unit.code,
        "承办单位名称": seat.unit.name,
        "来电类别": stream.pick(("投诉", "投诉", "举报", "求助")),
        "问题分类编码": code,
        "紧急程度": stream.pick(("一般", "一般", "紧急")),
        "事发地": seat.place.full_name,
        "是否保密": "是" if stream.chance(150) else "否",
        "来电号码": _telephone(stream),
        "姓名": person(stream),
    }
    return _Sent(order, record, due, _answered(frame, seat, stream, day, due))


def _petition(frame: Frame, seat: Seat, stream: Stream, index: int, day: date) -> _Sent:
    """A petition piece 信访件; several pieces may belong to one matter 信访事项."""
    code, topic, text = stream.pick(_TOPICS)
    due = day + timedelta(days=60)
    piece = f"XF{day:%Y}{seat.place.code[:6]}{seat.serial:04d}{index:04d}"
    repeated = index > 1 and stream.chance(150)
    record = {
        "信访件编号": piece,
        "投诉主题": topic,
        "投诉内容": text.format(unit=seat.unit.name),
        "信访日期": day.isoformat(),
        "限办时间": due.isoformat(),
        "问题属地代码": seat.place.code[:6],
        "责任部门": seat.unit.code,
        "信访事项编号": f"SX{piece[2:-4]}{index - repeated:04d}",
        "信访形式": stream.pick(("网上信访", "来信", "来访", "电话")),
        "信访目的代码": stream.pick(("申诉求决", "申诉求决", "检举控告", "意见建议")),
        "内容分类代码": code,
        "办理方式": "转送",
        "信访人数": str(stream.pick((1, 1, 1, 3, 5))),
        "是否重复": "是" if repeated else "否",
        "公开标志": "1" if stream.chance(400) else "0",
        "姓名": person(stream),
        "手机号": _telephone(stream),
    }
    return _Sent(piece, record, due, _answered(frame, seat, stream, day, due))


def _litigation(_frame: Frame, seat: Seat, stream: Stream, index: int, day: date) -> _Sent:
    """A judgment 行政诉讼裁判 of that day; courts set no deadline for the record itself."""
    number = f"（{day:%Y}）内{seat.place.code[2:6]}行初{seat.serial * 60 + index}号"
    result = stream.pick(_RESULTS)
    lost = result in _LOST
    record = {
        "案号": number,
        "案由": stream.pick(("行政处罚", "行政许可", "行政强制", "不履行法定职责")),
        "裁判要旨": f"{seat.unit.name}{'所作行为被' + result if lost else '被诉案件以' + result + '结案'}",
        "裁判日期": day.isoformat(),
        "法院所在地区划代码": seat.place.code[:6],
        "被告机关统一社会信用代码": seat.unit.credit_code,
        "法院": f"{seat.place.full_name}人民法院",
        "审级": "一审",
        "程序": stream.pick(("普通", "普通", "简易")),
        "裁判结果": result,
        "负责人是否出庭": "是" if stream.chance(820) else "否",
        "原告": firm(stream, seat.place.short) if stream.chance(500) else person(stream),
    }
    if lost:
        record["裁判理由"] = stream.pick(_GROUNDS)
        record["履行状态"] = "已履行" if stream.chance(900) else "未履行"
    return _Sent(number, record, None, None)


def _telephone(stream: Stream) -> str:
    return f"100{stream.below(100_000_000):08d}"


_SYSTEMS: dict[str, Callable[[Frame, Seat, Stream, int, date], _Sent]] = {
    "hotline": _hotline,
    "petition": _petition,
    "litigation": _litigation,
}
