"""Demonstration accounts 演示账号: one for each role at province, city and county, with names one can remember."""

from collections.abc import Iterator

from fazhi.province.records import Account
from fazhi.province.tree import Seat

# Account prefix, title and role; the roles are those of the access matrix (R36).
_AT_EVERY_LEVEL = (
    ("tianbao", "填报员", "reporter"),
    ("fuzeren", "单位负责人", "unit_head"),
    ("shenhe", "审核员", "reviewer"),
    ("ducha", "督察员", "inspector"),
    ("fuhe", "督察复核员", "inspector"),
)
_AT_THE_TOP = (
    ("pinggu", "第三方评估", "third_party"),
    ("xitong", "系统管理员", "system_admin"),
    ("anquan", "安全管理员", "security_admin"),
    ("shenji", "审计管理员", "audit_admin"),
)
_LEVELS = (("sheng", "省级"), ("shi", "市级"), ("xian", "县级"))


def accounts(province: Seat, city: Seat | None, county: Seat) -> Iterator[Account]:
    """
    Accounts of the levels that exist: `tianbao.xian` fills in forms for a county's department.

    Those who fill in and answer sit in a department, those who review and inspect in the justice department
    of the level, because nobody reviews his own unit.
    """
    for seat, (level, word) in zip((province, city, county), _LEVELS, strict=True):
        if seat is None:
            continue
        code = seat.unit.code
        for prefix, title, role in _AT_EVERY_LEVEL:
            office = "scjg" if role in ("reporter", "unit_head") else "sf"
            yield Account(
                account=f"{prefix}.{level}", title=word + title, roles=(role,), unit=f"{code}-{office}"
            )  # fmt: skip
    for prefix, title, role in _AT_THE_TOP:
        yield Account(account=prefix, title=title, roles=(role,), unit=f"{province.unit.code}-sf")
