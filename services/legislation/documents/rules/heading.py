"""
Heading: what stands above the first article - who passed, promulgated or amended the text, and when.

The heading is a list of dated acts ("2021年1月22日 第十三届全国人民代表大会常务委员会第二十五次会议修订"). It is often
incomplete: the national collection leaves out the latest amendment of many regulations, so the date of the
version comes from the file name when it has one, and the heading only adds to it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.legislation.documents.rules.names import number

_DATE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_CHINESE_DATE = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)
_SESSION = re.compile(
    r"(?P<place>[^第《》，。;]{0,30}?)第[^届]{1,6}届(?P<organ>(?:全国)?人民代表大会(?:常务委员会)?)"
)
_ORDER = re.compile(
    r"(?P<organs>[^第《》\d]{2,40}?)令?第(?P<number>\d+)号(?:令)?(?P<then>公布|发布|修订|修正|第|《|$|，|、)"
)
_MEETING = re.compile(r"(?:经)?(?P<organ>[^第《》\d]{2,30}?)(?:\d{4}年)?第\d+次")
_RELEASE = re.compile(r"(?P<organs>[^第《》\d]{2,60}?)(?:修正)?(?:发布|公布|颁布)")
_DECISION = re.compile(r"[《〈](?P<organs>[^《〈关]{2,20}?)关于")
_FILE_NUMBER = re.compile(r"^(?P<number>[\u4e00-\u9fff]{2,12}[\[〔(]\d{4}[\]〕)]\s*(?:第)?\d+号)$")

_SIGNATURE = re.compile(r"[\u4e00-\u9fff]{0,20}(?:国务院|部|委员会|局|署)")


class ActKind(StrEnum):
    """What happened on a day of the heading."""

    PASSED = "passed"  # 通过
    APPROVED = "approved"  # 批准
    PROMULGATED = "promulgated"  # 公布、发布
    AMENDED = "amended"  # 修正、修订
    EFFECTIVE = "effective"  # 施行


# The first word that occurs decides: "令第306号修订" amends although an order also promulgates.
_KIND_WORDS = (
    (ActKind.AMENDED, ("修订", "修正", "修改")),
    (ActKind.PASSED, ("通过",)),
    (ActKind.APPROVED, ("批准",)),
    (ActKind.PROMULGATED, ("公布", "发布", "颁布", "令")),
    (ActKind.EFFECTIVE, ("施行", "执行", "实施")),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One dated act of the heading; `body` and `number` where the line names them."""

    kind: ActKind
    on: date
    body: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the lines above the first article say; None and "" where they are silent."""

    acts: tuple[Act, ...]
    issuing_body: str
    number: str
    passed_on: date | None
    promulgated_on: date | None
    effective_on: date | None
    effective_on_promulgation: bool


def read_heading(lines: list[str]) -> Heading:
    """Read the lines between title and text."""
    whole = "\n".join(unicodedata.normalize("NFKC", line) for line in lines)
    acts = tuple(_acts(whole))
    named = [act.body for act in acts if act.body and act.kind is not ActKind.APPROVED]
    named = named or [act.body for act in acts if act.body] or _signatures(whole)
    numbered = [act.number for act in acts if act.number] or [
        match["number"] for line in whole.splitlines() if (match := _FILE_NUMBER.match(line.strip()))
    ]
    return Heading(
        acts=acts,
        issuing_body=named[-1] if named else "",
        number=numbered[-1] if numbered else "",
        passed_on=_latest(acts, ActKind.PASSED, ActKind.AMENDED, ActKind.APPROVED),
        promulgated_on=_latest(acts, ActKind.PROMULGATED),
        effective_on=_latest(acts, ActKind.EFFECTIVE),
        effective_on_promulgation=re.search(r"(?:公布|发布|颁布)之日(?:起)?施行", whole) is not None,
    )


def find_date(text: str) -> date | None:
    """The first possible date in a text, in digits or in numerals."""
    plain = unicodedata.normalize("NFKC", text)
    found = [(match.start(), _day(*match.groups())) for match in _DATE.finditer(plain)]
    found += [(match.start(), _day(*match.groups())) for match in _CHINESE_DATE.finditer(text)]
    return next((day for _, day in sorted(found, key=lambda one: one[0]) if day), None)


def _acts(whole: str) -> list[Act]:
    dates = list(_DATE.finditer(whole))
    acts = []
    for at, match in enumerate(dates):
        stop = dates[at + 1].start() if at + 1 < len(dates) else len(whole)
        day = _day(*match.groups())
        for said in re.split(r"(?<=批准)\s*\n", whole[match.end() : stop]):
            kind = _kind(said)
            if day is not None and kind is not None:
                body, order = _body(said.strip(" \n(),，;；。经"))
                acts.append(Act(kind, day, body, order))
    return sorted(acts, key=lambda act: act.on)


def _kind(said: str) -> ActKind | None:
    outside = re.sub(r"《.*?》", "", said, flags=re.DOTALL)
    return next((kind for kind, found in _KIND_WORDS if any(word in outside for word in found)), None)


def _body(said: str) -> tuple[str, str]:
    """Issuing body and number of one act: "国务院", "国务院令第681号"."""
    plain = re.sub(r"\s+", "", re.sub(r"\s*\n\s*", "、", said))
    session = _SESSION.match(plain)
    if session:
        # "县第十六届人民代表大会" continues a name that an earlier line has in full.
        if session["place"] in ("县", "市"):
            return "", ""
        return _organ(session["place"] + session["organ"]), ""
    order = _ORDER.match(plain)
    if order:
        body = _organ(order["organs"].removesuffix("令"))
        return body, f"{body}令第{order['number']}号"
    for pattern, group in ((_MEETING, "organ"), (_RELEASE, "organs"), (_DECISION, "organs")):
        match = pattern.match(plain)
        if match:
            return _organ(match[group]), ""
    approved = re.match(r"([^第《》\d]{2,30}?)(?:批准|修订|修正)", plain)
    return (_organ(approved[1]), "") if approved else ("", "")


def _signatures(whole: str) -> list[str]:
    """Lines that are nothing but the name of an organ, as below the letter that sends out a document."""
    lines = (line.strip() for line in whole.splitlines())
    return [_organ(line) for line in lines if _SIGNATURE.fullmatch(line)]


def _organ(text: str) -> str:
    parts = [part.removeprefix("中华人民共和国") for part in re.split(r"、", text.strip("经由、"))]
    joined = "、".join(part.removesuffix("令") for part in parts if part)
    named = re.sub(r"(?:部务|常务|室务|办公)?会议$", "", joined)
    return re.sub(r"中央军委(?!员)", "中央军事委员会", named)


def _latest(acts: tuple[Act, ...], *kinds: ActKind) -> date | None:
    return max((act.on for act in acts if act.kind in kinds), default=None)


def _day(year: str, month: str, day: str) -> date | None:
    parts = [number(part) for part in (year, month, day)]
    try:
        return date(*(part or 0 for part in parts))
    except ValueError:
        return None
