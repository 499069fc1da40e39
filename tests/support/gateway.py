"""A gateway for tests: a small tree of units, accounts of every role, partners with keys, clues as they come."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import select

from contracts.events.v1.scored_pb2 import ScoredEvent, ScoredEvents
from gateway.app import Gateway
from gateway.directory.rules import UnitState
from gateway.identity.accounts import FirstAccount
from gateway.partners.signature import read_secret_text, sign
from kernel.access.principal import SYSTEM, Principal

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PASSWORD = "Qingming-2026-river"
UNIT = "150102-scjg"
TREE = (
    UnitState(code="15", name="自治区人民政府", kind=1, level=1, parent="", region_code="150000", valid_from="2019-01-01"),
    UnitState(code="1501", name="首府市人民政府", kind=1, level=2, parent="15", region_code="150100", valid_from="2019-01-01"),
    UnitState(code="150102", name="新城区人民政府", kind=1, level=3, parent="1501", region_code="150102", valid_from="2019-01-01"),
    UnitState(
        code="150102-scjg", name="新城区市场监督管理局", kind=2, level=3, parent="150102", region_code="150102",
        credit_code="11150102MB1234567A", field="market", valid_from="2019-01-01",
    ),
    UnitState(code="1502", name="钢城市人民政府", kind=1, level=2, parent="15", region_code="150200", valid_from="2019-01-01"),
)  # fmt: skip
ACCOUNTS = (
    ("xitong", "15", ("system_admin",)),
    ("anquan", "15", ("security_admin",)),
    ("shenji", "15", ("audit_admin",)),
    ("ducha", "15", ("inspector",)),
    ("shenhe", "1501", ("reviewer",)),
    ("ducha2", "1502", ("inspector",)),
    ("tianbao", "150102-scjg", ("reporter", "unit_head")),
)
_ids = count(1)


@dataclass
class Sender:
    """A partner that signs as it should, and can be told to do it wrongly."""

    system: str
    secret: bytes
    ids: Any = field(default_factory=lambda: count(1))

    def signed(self, body: bytes, at: datetime, message_id: str = "") -> dict[str, str]:
        headers = sign(self.secret, message_id or f"{self.system}-msg-{next(_ids)}", at, body)
        return {**headers, "x-fazhi-system": self.system, "content-type": "application/json"}


def furnish(app: Gateway) -> None:
    """Units and accounts."""
    app.directory.load(TREE)
    app.accounts.establish(
        [
            FirstAccount(account=name, name=f"{name}同志", unit=unit, roles=roles, password=PASSWORD)
            for name, unit, roles in ACCOUNTS
        ]
    )


def partner(app: Gateway, system: str, **where: str) -> Sender:
    """A registered partner with one key."""
    app.partners.register(SYSTEM, system, title=system, **where)
    return Sender(system, read_secret_text(app.partners.add_key(SYSTEM, system)))


def scored(app: Gateway) -> list[ScoredEvent]:
    """The scored events told so far, oldest first."""
    table = app.store.spine.outbox
    wanted = select(table.c.body).where(table.c.name == "scored.v1").order_by(table.c.pos)
    with app.store.reading() as session:
        return [event for body in session.scalars(wanted) for event in ScoredEvents.FromString(body).events]


def principal(account: str, unit: str, path: str, *roles: str) -> Principal:
    return Principal(account=account, unit=unit, unit_path=path, roles=frozenset(roles))


INSPECTOR = principal("ducha", "15", "/15/", "inspector")


def hotline_order(number: str = "HT-2026-0001", **changes: Any) -> dict[str, Any]:
    """A hotline order 工单 as the hotline writes it; None takes a field away."""
    order: dict[str, Any] = {
        "工单编号": number,
        "工单标题": "执法人员检查时未亮证",
        "主要内容": "两名人员到店检查，未出示执法证件即开出罚款单。",
        "来电时间": "2026-11-19T16:20:00+08:00",
        "行政区划代码": "150102",
        "承办单位编码": "150102-scjg",
        "来电类别": "投诉",
        "来电号码": "13800138000",
        "姓名": "某某",
    }
    order.update(changes)
    return {name: value for name, value in order.items() if value is not None}


def body_of(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
