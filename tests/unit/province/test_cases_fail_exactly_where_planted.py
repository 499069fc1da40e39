"""
The failures that the law finds in the rows are exactly the truths: no more, no fewer.

The rules are written here once more, from the articles and with the kernel's calendar, and know nothing of how
the rows were made.
"""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from stdnum.cn import uscc

from fazhi.province import Province, Row, Truth, case_key
from kernel.calendar import WorkingCalendar

CALENDAR = WorkingCalendar()
HEAVY = {"吊销许可证件", "责令停产停业", "限制开展生产经营活动"}


def day(row: Row, header: str) -> date | None:
    return date.fromisoformat(row[header]) if row.get(header) else None


def decided(row: Row) -> date:
    return date.fromisoformat(row["决定日期"])


def is_late(row: Row, header: str, limit: int, until: date) -> bool:
    """Done after the last day, or not done although the last day is over."""
    last = CALENDAR.working_days_after(decided(row), limit).due_on
    done = day(row, header)
    return done > last if done else last < until


def fine(row: Row) -> int:
    return int(float(row["罚款金额（元）"] or 0))


def is_penalty(row: Row) -> bool:
    return row["案件类型"] == "处罚"


def is_ordinary(row: Row) -> bool:
    return row["适用程序"] == "普通"


def reaches_hearing(row: Row) -> bool:
    limit = 50_000 if row["行政相对人类别"] == "法人及非法人组织" else 5_000
    return fine(row) > limit or bool(HEAVY & set(row["处罚类别"].split("、")))


class Registers:
    """What the registers know, looked up by the rules."""

    def __init__(self, county: Province) -> None:
        self.until = county.frame.until
        self.bodies = {body.credit_code: body for body in county.bodies()}
        self.certificates = {c.number: c for officer in county.officers() for c in officer.certificates}
        self.items = {(item.unit, item.code) for item in county.power_items()}
        self.bases = {f"《{item.document}》{item.article}" for item in county.power_items()}

    def holds(self, number: str, on: date) -> bool:
        certificate = self.certificates[number]
        return certificate.valid_from <= on <= certificate.valid_to and certificate.status == "valid"


Rule = Callable[[Row, Registers], bool]


def _body_lapsed(row: Row, known: Registers) -> bool:
    until = known.bodies[row["决定机关统一社会信用代码"]].valid_to
    return until is not None and decided(row) > until


def _outside_list(row: Row, known: Registers) -> bool:
    unit = known.bodies[row["决定机关统一社会信用代码"]].unit
    return "权责清单事项编码" in row and (unit, row["权责清单事项编码"]) not in known.items


def _officers(row: Row) -> list[str]:
    return [number for number in row.get("执法人员证号", "").split("、") if number]


def _has_procedure(row: Row) -> bool:
    return "立案日期" in row


def _review_wanting(row: Row, known: Registers) -> bool:
    if not (is_penalty(row) and is_ordinary(row) and _has_procedure(row)):
        return False
    reviewed = day(row, "法制审核日期")
    return reviewed is None or reviewed > decided(row) or row["法制审核结论"] not in {"通过", "修改后通过"}


def _over_simple_limit(row: Row, known: Registers) -> bool:
    limit = 3000 if row["行政相对人类别"] == "法人及非法人组织" else 200
    return row["适用程序"] == "简易" and fine(row) > limit


def _archived_late(row: Row, known: Registers) -> bool:
    done, last = day(row, "归档日期"), decided(row) + timedelta(days=30)
    return _has_procedure(row) and (done > last if done else last < known.until)


RULES: dict[str, Rule] = {
    "ENF-SUB-01": _body_lapsed,
    "ENF-SUB-02": _outside_list,
    "ENF-DOC-01": lambda row, known: row["处罚依据"] not in known.bases,
    "ENF-OFF-01": lambda row, known: (
        row["案件类型"] != "许可" and _has_procedure(row) and len(_officers(row)) < 2
    ),
    "ENF-OFF-02": lambda row, known: any(not known.holds(n, decided(row)) for n in _officers(row)),
    "ENF-OFF-03": lambda row, known: row.get("是否亮证") == "否",
    "ENF-PRO-01": _over_simple_limit,
    "ENF-PRO-03": lambda row, known: is_penalty(row) and _has_procedure(row) and not row["处罚告知日期"],
    "ENF-PRO-05": lambda row, known: (
        is_ordinary(row) and _has_procedure(row) and reaches_hearing(row) and not row["听证告知日期"]
    ),
    "ENF-REV-01": _review_wanting,
    "ENF-REV-03": lambda row, known: (
        is_ordinary(row) and _has_procedure(row) and reaches_hearing(row) and not row["集体讨论日期"]
    ),
    "ENF-TIM-01": lambda row, known: (
        is_penalty(row)
        and _has_procedure(row)
        and (decided(row) - (day(row, "立案日期") or decided(row))).days > 90
    ),
    "ENF-TIM-02": lambda row, known: (
        is_penalty(row) and _has_procedure(row) and is_late(row, "送达日期", 7, known.until)
    ),
    "ENF-TIM-03": lambda row, known: (
        bool(row.get("当场收缴日期")) and is_late(row, "缴款日期", 2, known.until)
    ),
    "ENF-TIM-04": lambda row, known: (
        row["案件类型"] == "许可"
        and _has_procedure(row)
        and CALENDAR.working_days_between(day(row, "立案日期") or decided(row), decided(row)) > 20
    ),
    "ENF-PUB-01": lambda row, known: row["案件类型"] != "检查" and is_late(row, "公示日期", 7, known.until),
    "ENF-PUB-02": lambda row, known: row["案件类型"] == "检查" and is_late(row, "公示日期", 20, known.until),
    "ENF-REC-01": lambda row, known: _has_procedure(row) and "文字" not in row["全过程记录"],
    "ENF-REC-02": lambda row, known: row.get("是否应当音像记录") == "是" and "音像" not in row["全过程记录"],
    "ENF-REC-03": _archived_late,
}


@pytest.mark.parametrize("probe", RULES)
def test_what_the_rule_finds_is_what_was_planted(
    probe: str, county: Province, rows: list[Row], truths: list[Truth]
) -> None:
    known = Registers(county)
    found = {case_key(row) for row in rows if RULES[probe](row, known)}
    assert found == {truth.key for truth in truths if truth.probe == probe}


@pytest.mark.parametrize(("size", "until"), [("city", date(2026, 10, 31)), ("county", date(2026, 3, 15))])
def test_it_holds_in_a_city_and_in_a_short_year(size: str, until: date) -> None:
    box = Province(seed=7, size=size, until=until)  # type: ignore[arg-type]
    known = Registers(box)
    found = {
        (probe, case_key(row)) for row in box.cases() for probe, rule in RULES.items() if rule(row, known)
    }  # fmt: skip
    planted = {(t.probe, t.key) for t in box.truths() if t.subject == "enforcement_case" and t.probe}
    assert found == planted


def test_every_kind_of_fault_is_planted_somewhere_in_a_city(city_truths: list[Truth]) -> None:
    probes = {truth.probe for truth in city_truths}
    assert RULES.keys() <= probes
    assert {"DIS-ACC-01", "DIS-TIM-01", "DIS-ANS-01", "DIS-COR-01", "DIS-PER-01", "DIS-HEA-01"} <= probes
    assert {"LEG-FIL-01", "LEG-REV-01", "LEG-PUB-01", "LEG-VAL-01", "GW-ANS-01", "DEC-06", "DEC-23"} <= probes


def test_nobody_decides_on_a_holiday_unless_it_is_flagged(rows: list[Row], truths: list[Truth]) -> None:
    flagged = {truth.key for truth in truths if truth.expected == "odd"}
    on_holidays = {case_key(row) for row in rows if not CALENDAR.is_working_day(decided(row))}
    assert on_holidays == flagged
    assert 0 < len(flagged) < len(rows) // 50


def test_no_fact_is_known_before_it_happened(county: Province, rows: list[Row]) -> None:
    for row in rows:
        days = [
            date.fromisoformat(value) for header, value in row.items() if header.endswith("日期") and value
        ]
        assert max(days) <= county.frame.until


def test_steps_of_a_lawful_ordinary_case_follow_one_another(rows: list[Row], truths: list[Truth]) -> None:
    faulty = {truth.key for truth in truths}
    steps = (
        "立案日期",
        "处罚告知日期",
        "申请听证日期",
        "听证日期",
        "法制审核日期",
        "集体讨论日期",
        "决定日期",
        "送达日期",
    )
    checked = 0
    for row in rows:
        if is_ordinary(row) and _has_procedure(row) and case_key(row) not in faulty:
            days = [row[step] for step in steps if row[step]]
            assert days == sorted(days), row
            checked += 1
    assert checked > 50


def test_reporting_units_hand_in_no_procedure_columns(rows: list[Row]) -> None:
    reported = [row for row in rows if row["接入模式"] == "报送"]
    assert reported
    assert not any("执法人员证号" in row or "立案日期" in row for row in reported)


def test_firms_have_valid_codes_and_persons_none(rows: list[Row]) -> None:
    for row in rows:
        code = row["行政相对人代码"]
        assert (code == "") if row["行政相对人类别"] == "自然人" else uscc.is_valid(code)


def test_february_is_slack_and_december_busy() -> None:
    months = [row["决定日期"][5:7] for row in Province(seed=1, size="city", year=2025).cases()]
    average = len(months) / 12
    assert months.count("02") < 0.7 * average
    assert months.count("12") > 1.3 * average


def test_good_units_publish_better_than_bad_ones(city: Province, city_truths: list[Truth]) -> None:
    late = [truth.unit for truth in city_truths if truth.probe == "ENF-PUB-01"]
    seats = [city.tree.by_code[body.unit] for body in city.bodies()]
    good = {seat.unit.code for seat in seats if city.frame.fault_factor(seat) < 500}
    bad = {seat.unit.code for seat in seats if city.frame.fault_factor(seat) > 1500}
    assert sum(unit in bad for unit in late) / len(bad) > 4 * sum(unit in good for unit in late) / len(good)
