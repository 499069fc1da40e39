"""
What the province is made of: frozen rows, in the order in which they depend on one another.

Dates are `date` objects, absent ones None. The field names of `Unit` are those of directory.proto; rows of
cases and of outside systems' clues are plain dictionaries because their keys are the senders' own words.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Unit 单位: a government, department, township, organ. Kinds and levels are names of the contract."""

    code: str
    name: str
    kind: str  # government | department | township | authorised | dispatched
    level: str  # province | city | county | township
    parent: str
    path: str
    region_code: str
    credit_code: str
    field: str
    valid_from: date
    valid_to: date | None = None
    successor: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Enforcement body 执法主体. `kind`: statutory 法定, authorised 授权, entrusted 受委托 (行政处罚法 17, 19, 20)."""

    unit: str
    name: str
    credit_code: str
    kind: str
    principal: str  # unit in whose name an entrusted organ acts
    field: str
    level: str
    region_code: str
    valid_from: date
    valid_to: date | None
    confirmed_on: date
    mode: str  # reported 报送 | entered 录入 | real_time 实时


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Enforcement certificate 行政执法证. `status`: valid, expired, suspended, revoked, returned."""

    number: str
    body: str  # unit code
    field: str
    valid_from: date
    valid_to: date
    status: str
    status_on: date | None = None  # since when it is suspended, revoked or returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Officer 执法人员 of one body, with certificates old and new."""

    code: str
    name: str
    unit: str
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerItem:
    """Item of a power and responsibility list 权责清单事项."""

    unit: str
    code: str
    name: str
    kind: str  # penalty | licence | inspection
    field: str
    document: str
    article: str
    review: str  # 法制审核: ordinary (every ordinary penalty) | major | never


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Major administrative decision 重大行政决策: all facts of the procedure as one JSON document."""

    number: str
    unit: str
    title: str
    facts: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconsideration:
    """Administrative reconsideration case 行政复议案件; dates ISO in `facts`, outcome RFxx (行政复议法 64-73)."""

    number: str
    review_unit: str
    respondent: str
    facts: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NormativeDocument:
    """Administrative normative document 行政规范性文件 in the maker's register."""

    number: str
    registration: str  # 三统一登记号; empty: never registered
    unit: str
    title: str
    drafted_on: date
    comment_opened_on: date | None
    comment_closed_on: date | None
    reviewed_on: date | None
    review_result: str
    deliberated_on: date
    signed_on: date
    published_on: date | None
    effective_on: date
    expires_on: date
    filed_on: date | None
    status: str  # in_force | expired | repealed
    used_on: date | None  # latest day it was cited as a basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """Clue 线索: `record` is what an outside system sends, in its own field names."""

    system: str  # petition | hotline | litigation
    external_id: str
    unit: str
    record: Row = field(hash=False)
    due_on: date | None = None  # the sender's own deadline
    answered_on: date | None = None  # None while open, and where nothing is to be answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Demonstration account 演示账号. No password: each data folder derives its own."""

    account: str
    title: str
    roles: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """
    What was planted, so that a test can ask whether the platform finds it.

    `expected` is an outcome of the probe ("fail", "not_due") on the day the province ends, or "odd" with an
    empty probe for what is unusual but no fault. A record without a truth was made without that fault.
    """

    subject: str  # enforcement_case | decision | reconsideration | normative_document | clue
    key: str
    probe: str
    expected: str
    unit: str
    why: str
