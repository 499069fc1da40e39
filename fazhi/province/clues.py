"""
Clues 线索 from petition, hotline and court, each in that system's own field names.

The field sets are those seen in real systems' published code and in the law (信访工作条例, GB/T 33358, 行政诉讼法).
Telephone numbers begin with 100, which no operator gives to people.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from fazhi.province.days import working_days_after
from fazhi.province.frame import Frame
from fazhi.province.names import firm, person
from fazhi.province.records import Clue, Row, Truth
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat

_SCALES = {"hotline": 160_000, "petition": 420_000, "litigation": 1_300_000}  # case weight for one a year
_TOPICS = (
    ("0101", "执法不公", "反映{unit}处罚同类店铺标准不一，请求说明裁量依据"),
    ("0102", "不作为", "多次举报占道经营，{unit}一直没有处理"),
    ("0103", "程序问题", "{unit}检查时未出示证件，只有一人到场"),
    ("0104", "涉企检查频繁", "企业一个月内被{unit}检查三次，影响经营"),
    ("0105", "许可拖延", "向{unit}提交材料已满一个月，没有答复"),
    ("0106", "乱收费", "{unit}要求购买指定服务，请求查处"),
)
_COURT_OUTCOMES = ("LT01", "LT01", "LT01", "LT02", "LT03", "LT05", "LT10", "LT11", "LT11")
_GROUNDS = ("facts", "wrong_law", "procedure", "beyond_powers", "improper")


def clue_count(frame: Frame, seat: Seat, system: str) -> int:
    """Clues about one body from one system in the period."""
    if not seat.enforces:
        return 0
    scale = _SCALES[system]
    left = frame.stream("clue-count", system, seat.unit.code).below(scale)
    return frame.scaled(seat.case_weight // scale) + (left < seat.case_weight % scale)


def clues(frame: Frame, seat: Seat) -> Iterator[tuple[Clue, list[Truth]]]:
    """Clues about one body, system by system, by day, with those answered too late."""
    for system, make in (("hotline", _hotline), ("petition", _petition), ("litigation", _litigation)):
        count = clue_count(frame, seat, system)
        stream = frame.stream("clues", system, seat.unit.code)
        for index, day in enumerate(sorted(frame.season.draw(stream) for _ in range(count)), start=1):
            external_id, record, due, done = make(frame, seat, stream, index, day)
            late = due is not None and due < frame.until and (done is None or done > due)
            truths = [
                Truth(
                    subject="clue", key=f"{system}|{external_id}", probe="GW-ANS-01", expected="fail",
                    unit=seat.unit.code, why="超过来源系统期限办结",
                )
            ] if late else []  # fmt: skip
            yield Clue(system=system, external_id=external_id, unit=seat.unit.code, record=record), truths


def _done(frame: Frame, seat: Seat, stream: Stream, begun: date, due: date) -> date | None:
    """办结: before the deadline, or as late as the unit is bad; None while open."""
    late = stream.chance(min(500, 60 * frame.fault_factor(seat) // 1000))
    span = max(2, (due - begun).days)
    day = (
        due + timedelta(days=stream.early(1, 40))
        if late
        else begun + timedelta(days=stream.between(1, span - 1))
    )
    return day if day <= frame.until else None


def _hotline(
    frame: Frame, seat: Seat, stream: Stream, index: int, day: date
) -> tuple[str, Row, date | None, date | None]:
    code, topic, text = stream.pick(_TOPICS)
    due = working_days_after(day, 10)
    done = _done(frame, seat, stream, day, due)
    order = f"GD{seat.place.code[:6]}{day:%Y%m%d}{seat.serial:04d}{index:03d}"
    record = {
        "工单编号": order,
        "工单标题": topic,
        "姓名": person(stream),
        "来电号码": f"100{stream.below(100_000_000):08d}",
        "来电时间": f"{day.isoformat()} {stream.between(8, 20):02d}:{stream.below(60):02d}:00",
        "受理渠道": stream.pick(("电话", "电话", "微信", "网站")),
        "来电类别": stream.pick(("投诉", "投诉", "举报", "求助")),
        "问题分类编码": code,
        "问题分类名称": topic,
        "紧急程度": stream.pick(("一般", "一般", "紧急")),
        "主要内容": text.format(unit=seat.unit.name),
        "事发地": seat.place.full_name,
        "行政区划代码": seat.place.code[:6],
        "被投诉人": seat.unit.name,
        "承办单位编码": seat.unit.code,
        "承办单位名称": seat.unit.name,
        "分派时间": day.isoformat(),
        "办理截止时间": due.isoformat(),
        "工单状态": "办结" if done else "办理中",
        "办结时间": done.isoformat() if done else "",
        "回复内容": "经核查，已依法处理并答复当事人" if done else "",
        "问题是否解决": stream.pick(("是", "是", "否")) if done else "",
        "是否满意": stream.pick(("满意", "满意", "基本满意", "不满意")) if done else "",
        "是否保密": "是" if stream.chance(150) else "否",
    }
    return order, record, due, done


def _petition(
    frame: Frame, seat: Seat, stream: Stream, index: int, day: date
) -> tuple[str, Row, date | None, date | None]:
    code, topic, text = stream.pick(_TOPICS)
    due = day + timedelta(days=60)
    done = _done(frame, seat, stream, day, due)
    piece = f"XF{day:%Y}{seat.place.code[:6]}{seat.serial:04d}{index:04d}"
    record = {
        "信访件编号": piece,
        "信访事项编号": f"SX{piece[2:]}",
        "信访形式": stream.pick(("网信", "来信", "来访", "来电")),
        "信访日期": day.isoformat(),
        "姓名": person(stream),
        "手机号": f"100{stream.below(100_000_000):08d}",
        "问题属地代码": seat.place.code[:6],
        "问题属地名称": seat.place.full_name,
        "内容分类代码": code,
        "内容分类名称": topic,
        "信访目的代码": "3",
        "信访目的名称": "申诉求决",
        "投诉主题": topic,
        "投诉内容": text.format(unit=seat.unit.name),
        "信访人数": str(stream.pick((1, 1, 1, 3, 5))),
        "公开标志": "1" if stream.chance(400) else "0",
        "办理方式": "转送",
        "转往处": seat.unit.name,
        "责任部门": seat.unit.name,
        "责任部门代码": seat.unit.code,
        "限办时间": due.isoformat(),
        "信访件状态": "已办结" if done else "办理中",
        "办结时间": done.isoformat() if done else "",
    }
    return piece, record, due, done


def _litigation(
    frame: Frame, seat: Seat, stream: Stream, index: int, day: date
) -> tuple[str, Row, date | None, date | None]:
    court = f"内{seat.place.code[2:6]}"
    number = f"（{day:%Y}）{court}行初{seat.serial * 20 + index}号"
    judged = day + timedelta(days=stream.between(60, 170))
    known = judged <= frame.until
    outcome = stream.pick(_COURT_OUTCOMES)
    lost = "LT02" <= outcome <= "LT09"
    record = {
        "案号": number,
        "法院": f"{seat.place.full_name}人民法院",
        "案由": stream.pick(("行政处罚", "行政许可", "行政强制", "不履行法定职责")),
        "立案日期": day.isoformat(),
        "审级": "一审",
        "程序": "普通",
        "原告": firm(stream, seat.place.short) if stream.chance(500) else person(stream),
        "被告机关": seat.unit.name,
        "被告机关代码": seat.unit.credit_code,
        "是否经复议": "是" if stream.chance(300) else "否",
        "应诉通知日期": working_days_after(day, 3).isoformat(),
        "答辩举证截止": (working_days_after(day, 3) + timedelta(days=15)).isoformat(),
        "开庭日期": (day + timedelta(days=45)).isoformat() if known else "",
        "负责人应出庭": "是",
        "负责人实出庭": ("是" if stream.chance(820) else "否") if known else "",
        "裁判日期": judged.isoformat() if known else "",
        "结果代码": outcome if known else "",
        "理由代码": stream.pick(_GROUNDS) if known and lost else "",
        "履行状态": ("已履行" if stream.chance(900) else "未履行") if known and lost else "",
    }
    return number, record, None, None
