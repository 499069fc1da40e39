"""
Who may enforce 执法资格: register entries as plain values, and what they mean on the day of an act.

行政执法监督条例 Art. 17: bodies are confirmed and published, officers examined and certified. 行政处罚法
Arts. 17-21: statutory organs, authorised organisations, and entrusted ones acting in their principal's name.
"""

from dataclasses import dataclass
from datetime import date

BODY_KINDS = ("statutory", "authorised", "entrusted")
CERTIFICATE_KINDS = ("unified", "ministerial")
CERTIFICATE_STATES = ("valid", "suspended", "revoked", "expired", "returned")
STAFF_KINDS = ("officer", "auxiliary")
POWER_KINDS = ("penalty", "licence", "inspection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Enforcement body 执法主体, one per unit; `principal` is the unit in whose name an entrusted one acts."""

    unit: str
    name: str
    credit_code: str
    kind: str
    field: str
    region_code: str
    valid_from: date
    confirmed_on: date | None
    principal: str = ""
    valid_to: date | None = None
    mode: str = "entered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """
    Enforcement certificate 行政执法证; the number is unique per issuing province.

    `issuer` is the province's two-digit code, taken from the body's region when empty. `status_on` is the day
    since which a status other than valid holds; without it the certificate counts as never valid.
    """

    number: str
    body: str
    field: str
    valid_from: date
    valid_to: date
    status: str = "valid"
    status_on: date | None = None
    issuer: str = ""
    kind: str = "unified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Officer 执法人员 of one body. `kind` auxiliary 辅助人员: never counts toward the two officers."""

    code: str
    name: str
    unit: str
    certificates: tuple[Certificate, ...]
    kind: str = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerItem:
    """
    Item of a body's power and responsibility list 权责清单事项, with its basis.

    `review`: ordinary (every ordinary penalty is reviewed 法制审核), major (only major decisions), never.
    """

    unit: str
    code: str
    name: str
    kind: str
    field: str
    document: str
    article: str
    review: str = "major"


@dataclass(frozen=True, slots=True)
class BodyOnDay:
    """What the register says of a body on the day of an act; `mode` is the way it is connected 接入模式."""

    is_confirmed: bool
    field: str
    principal: str
    why: str = ""
    mode: str = "entered"


@dataclass(frozen=True, slots=True)
class CertificateOnDay:
    """What the register says of one certificate number on the day of an act; `holder` empty when unknown."""

    number: str
    holder: str = ""
    is_auxiliary: bool = False
    is_valid: bool = False
    field: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class PowerOnList:
    """A power item as the list of the body, or of its principal, has it."""

    kind: str
    field: str
    review: str
    document: str


def body_on(day: date, confirmed_on: date | None, valid_from: date, valid_to: date | None) -> str:
    """Why a body could not act on a day; empty when it could (行政处罚法 Arts. 17-21, 38)."""
    if confirmed_on is None or day < confirmed_on:
        return "执法主体资格在该日尚未确认公告"
    if day < valid_from:
        return "执法主体资格在该日尚未生效"
    if valid_to is not None and day > valid_to:
        return "执法主体资格或者委托期限在该日已届满"
    return ""


def certificate_on(day: date, valid_from: date, valid_to: date, status: str, status_on: date | None) -> str:
    """Why a certificate was not valid on a day; empty when it was."""
    if day < valid_from:
        return "尚未生效"
    if day > valid_to:
        return "已过有效期"
    if status in ("valid", "expired") or (status_on is not None and day < status_on):
        return ""
    return {"suspended": "已暂扣", "revoked": "已吊销", "returned": "已收回"}[status]
