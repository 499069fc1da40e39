"""
Major administrative decisions 重大行政决策 of governments, with every fact the 26-item template asks for.

The facts of one decision are laid out backwards from the day of the meeting, lawful with room to spare
(国令713; all dates ISO). Faults are then put in by decision_faults.py.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fazhi.province.days import working_days_after
from fazhi.province.decision_faults import FAULTS, archived
from fazhi.province.frame import Frame
from fazhi.province.names import person
from fazhi.province.records import Decision, Truth
from fazhi.province.rng import Stream
from fazhi.province.tree import Seat, Tree

_YEARLY = {1: 16, 2: 12, 3: 10}
_TITLES = (
    "{place}“十五五”生态环境保护规划", "{place}城镇供热价格调整方案", "{place}城市公共停车设施建设方案",
    "{place}义务教育学校布局调整方案", "{place}农村牧区饮水安全巩固提升工程", "{place}草原禁牧和草畜平衡实施方案",
    "{place}新能源基地建设规划", "{place}老旧小区改造三年行动方案", "{place}城乡居民基本医疗保险筹资标准调整方案",
    "{place}国土空间总体规划（修编）", "{place}生活垃圾分类管理办法实施方案", "{place}历史文化街区保护规划",
    "{place}污水处理厂二期建设工程", "{place}农贸市场规范提升方案", "{place}集中式饮用水水源地保护方案",
    "{place}公共交通票价调整方案", "{place}殡葬服务设施建设规划", "{place}工业园区产业准入目录",
)  # fmt: skip
_LEADS = ("fgw", "zj", "nm", "st", "jt", "zr", "jy", "yb")
_RELATED = ("fgw", "cz", "zr", "st", "rs", "sf", "yj")
_OPINION_SOURCES = ("website", "letter", "meeting", "questionnaire")
_POSTS = ("head", "deputy", "deputy", "deputy", "deputy", "secretary_general", "member")
_WAIVED = (
    ("hearing", "hearing", "不直接涉及切身利益，各方无重大分歧"),
    ("expert", "experts", "不属于专业性、技术性较强的事项"),
    ("risk", "risk", "不涉及社会稳定、公共安全风险"),
)
_FIELDS = ("公共管理", "环境工程", "城乡规划", "法学", "财政学", "交通工程", "农牧业经济")


def decision_count(frame: Frame, seat: Seat) -> int:
    """Decisions of one government in the period; zones and townships make none of their own."""
    if seat.unit.code != seat.place.code or seat.place.level == 4 or seat.place.is_zone:
        return 0
    return frame.scaled(_YEARLY[seat.place.level])


def decisions(frame: Frame, tree: Tree, seat: Seat) -> Iterator[tuple[Decision, list[Truth]]]:
    """The decisions of one government by day of the meeting, with what was planted in each."""
    stream = frame.stream("decisions", seat.unit.code)
    offset = stream.below(len(FAULTS))
    meetings = sorted(frame.season.draw(stream) for _ in range(decision_count(frame, seat)))
    start = stream.below(len(_TITLES))
    for index, meeting in enumerate(meetings, start=1):
        number = f"{seat.place.short}政决〔{frame.year}〕{index}号"
        title = _TITLES[(start + index * 5) % len(_TITLES)].format(place=seat.place.full_name)
        facts = _Procedure(frame, tree, seat, stream, number).facts(meeting)
        truths = []
        # Every other decision goes wrong somewhere, each time somewhere else, so that small sizes show many;
        # the first time at one of the best-known places.
        if index % 2 == 0:
            turn = offset % 3 if index == 2 else offset + index // 2 * 7
            fault = FAULTS[turn % len(FAULTS)]
            if meeting + timedelta(days=fault.shows_after_days) <= frame.until:
                truths.append(_truth(seat, number, fault.probe, fault.plant(facts)))
        yield Decision(number=number, unit=seat.unit.code, title=title, facts=facts), truths


def _truth(seat: Seat, number: str, probe: str, why: str) -> Truth:
    return Truth(
        subject="decision", key=number, probe=probe, expected="fail", unit=seat.unit.code, why=why
    )  # fmt: skip


@dataclass(frozen=True)
class _Procedure:
    """One procedure being laid out, group by group of facts."""

    frame: Frame
    tree: Tree
    seat: Seat
    stream: Stream
    number: str

    def facts(self, meeting: date) -> dict[str, Any]:
        """All groups of facts; later groups are dated backwards from the meeting."""
        review_out = working_days_after(meeting, -self.stream.between(4, 6))
        review_in = working_days_after(review_out, -self.stream.between(9, 13))
        closed = review_in - timedelta(days=self.stream.between(8, 14))
        opened = closed - timedelta(days=self.stream.between(31, 40))
        started = working_days_after(opened, -self.stream.between(25, 40))
        offices = _present(self.tree, self.seat, _LEADS)
        lead = self.stream.pick(offices)
        facts: dict[str, Any] = {"mode": "entered", "number": self.number, "decided_on": _iso(meeting)}
        facts |= self._starting(started, lead)
        facts |= self._drafting(started, opened, lead)
        facts |= self._participation(opened, closed)
        facts |= self._expertise(closed, review_in)
        facts |= self._review(review_in, review_out)
        facts |= self._discussion(meeting, review_out)
        facts |= self._afterwards(meeting, lead)
        facts["archive"]["catalogue"] = archived(facts)
        facts["not_applicable"] = [
            {"branch": branch, "date": facts["start"]["date"], "because": why}
            for branch, step, why in _WAIVED
            if not facts[step]
        ]
        return facts

    def _starting(self, started: date, lead: str) -> dict[str, Any]:
        studied = working_days_after(started, -5)
        return {
            "catalogue": {
                "id": f"{self.seat.place.code}-{started.year}-{self.stream.between(1, 20):02d}",
                "year": started.year,
            },
            "proposal": {
                "source": self.stream.pick(("department", "department", "leader", "deputy", "public")),
                "date": _iso(working_days_after(studied, -15)),
                "by": lead,
            },
            "study": {
                "date": _iso(studied),
                "parts": ["problem", "basis", "plan", "necessity", "feasibility"],
                "digest": _digest(self.number, "study"),
            },
            "start": {"document": f"{self.number}启动", "organ": self.seat.unit.code, "date": _iso(started)},
            "undertaking_units": [{"unit": lead, "lead": True}],
        }

    def _drafting(self, started: date, opened: date, lead: str) -> dict[str, Any]:
        related = [unit for unit in _present(self.tree, self.seat, _RELATED) if unit != lead][:4]
        asked = working_days_after(started, 5)
        wide = self.stream.chance(200)
        return {
            "drafts": [
                {
                    "version": 1,
                    "digest": _digest(self.number, "draft1"),
                    "date": _iso(working_days_after(started, 12)),
                },
                {
                    "version": 2,
                    "digest": _digest(self.number, "draft2"),
                    "date": _iso(working_days_after(opened, -1)),
                },
            ],
            "survey": {
                "digest": _digest(self.number, "survey"),
                "date": _iso(working_days_after(started, 8)),
            },
            "legal_basis": {
                "digest": _digest(self.number, "basis"),
                "documents": ["重大行政决策程序暂行条例"],
            },
            "cost_benefit": {"digest": _digest(self.number, "cost"), "not_needed_reason": ""},
            "dispute": "wide" if wide else "none",
            "options": 2 if wide else 1,
            "related_units": [
                {
                    "unit": unit,
                    "asked_on": _iso(asked),
                    "due_on": _iso(working_days_after(asked, 7)),
                    "replied_on": _iso(working_days_after(asked, self.stream.between(2, 6))),
                    "agrees": agrees,
                    "statement": "" if agrees else "已协商，采纳其关于资金来源的意见",
                }
                for unit, agrees in [(unit, self.stream.chance(850)) for unit in related]
            ],
        }

    def _participation(self, opened: date, closed: date) -> dict[str, Any]:
        statuses = ("adopted", "adopted", "partly", "not_adopted")
        heard_on = working_days_after(closed, -3)
        hearing = None
        if self.stream.chance(450):
            announced = heard_on - timedelta(days=self.stream.between(12, 16))
            hearing = {
                "date": _iso(heard_on),
                "place": "政府二楼会议室",
                "rule_published_on": _iso(announced),
                "list_published_on": _iso(announced),
                "place_published_on": _iso(announced),
                "participants": [
                    {
                        "id": f"H{i}",
                        "delivered_on": _iso(heard_on - timedelta(days=self.stream.between(8, 11))),
                        "signature": "signed",
                    }
                    for i in range(1, 11)
                ],
            }
        return {
            "consultation": {
                "open": _iso(opened),
                "close": _iso(closed),
                "channels": ["official_site", "newspaper", "meeting"],
                "notice": {"draft": True, "explanation": True, "contact": True, "closing_date": True},
                "short_reason": "",
            },
            "opinions": [
                {
                    "id": f"O{i}",
                    "source": self.stream.pick(_OPINION_SOURCES),
                    "status": self.stream.pick(statuses),
                    "reason": "经研究，意见合理部分已写入方案",
                }
                for i in range(1, self.stream.between(4, 15))
            ],
            "opinion_summary": {
                "digest": _digest(self.number, "opinions"),
                "published_on": _iso(closed + timedelta(days=5)),
            },
            "hearing": hearing,
        }

    def _expertise(self, closed: date, review_in: date) -> dict[str, Any]:
        """专家论证 and 风险评估 run beside the comment period and end before the review."""
        argued = working_days_after(review_in, -2)
        technical, risky = self.stream.chance(600), self.stream.chance(600)
        chosen = range(self.stream.between(3, 5)) if technical else range(0)
        pool = self.seat.place.code[:2]
        return {
            "technical": technical,
            "experts": [
                {
                    "id": f"E{pool}{self.stream.between(1, 800):04d}",
                    "pool": f"{pool}-experts",
                    "field": _FIELDS[(i * 3) % len(_FIELDS)],
                    "stance": "differing" if i == 1 else "supporting",
                    "conflict": "none",
                }
                for i in chosen
            ],
            "expert_opinions": [
                {
                    "expert_index": i,
                    "date": _iso(argued),
                    "signed": True,
                    "necessity": "必要",
                    "feasibility": "可行",
                    "science": "科学",
                    "adoption": "adopted",
                }
                for i in chosen
            ],
            "risk_flag": risky,
            "risk": {
                "assessor": f"{self.seat.place.code}-third-party",
                "level": self.stream.pick(("low", "low", "medium")),
                "conclusion": "controllable",
                "assessed_on": _iso(max(closed, working_days_after(review_in, -3))),
                "sections": ["risk_points", "prevention", "handling", "departments"],
                "digest": _digest(self.number, "risk"),
            }
            if risky
            else None,
        }

    def _review(self, review_in: date, review_out: date) -> dict[str, Any]:
        return {
            "review": {
                "unit": f"{self.seat.place.code}-sf",
                "submitted_on": _iso(review_in),
                "materials": ["draft", "legal_basis", "procedure_statement"],
                "returned": [],
                "complete_on": _iso(review_in),
                "issued_on": _iso(review_out),
                "parts": ["authority", "procedure", "content"],
                "conclusion": "lawful",
                "exploratory": False,
                "risk_text": "",
                "urgency_note": "",
                "remarks": [
                    {"id": f"R{i}", "text": "建议明确责任分工", "response": "已采纳"}
                    for i in range(1, self.stream.between(2, 4))
                ],
                "advisers": [
                    {"id": f"L{self.stream.between(1, 60):03d}", "digest": _digest(self.number, "adviser")}
                ],
            }
        }

    def _discussion(self, meeting: date, review_out: date) -> dict[str, Any]:
        people = [{"id": f"M{i}", "name": person(self.stream), "post": post} for i, post in enumerate(_POSTS)]
        order = [p["id"] for p in people[1:]] + [people[0]["id"]]
        market = self.stream.chance(400)
        materials = ["draft", "public_opinions", "expert_opinions", "risk_report", "review_opinion", "other"]
        dissent = self.stream.below(40)
        return {
            "submission": {
                "materials": materials,
                "touches_market": market,
                "fair_competition": {"digest": _digest(self.number, "competition")} if market else None,
                "completed_on": _iso(working_days_after(review_out, 1)),
            },
            "meeting": {
                "type": "executive",
                "date": _iso(meeting),
                "members": people,
                "present": [p["id"] for p in people],
                "quorum": 4,
                "order": order,
                "head": people[0]["id"],
                "opinions": [
                    {
                        "member": p["id"],
                        "opinion": "disagree" if i == dissent else "agree",
                        "reason": "建议缓行" * (i == dissent),
                    }
                    for i, p in enumerate(people)
                ],
                "head_decision": "agree",
                "majority": "agree",
                "departure_reason": "",
            },
            "party_report": {"required": True, "document": f"{self.number}请示", "date": _iso(meeting)},
        }

    def _afterwards(self, meeting: date, lead: str) -> dict[str, Any]:
        until = self.frame.until
        published = min(until, working_days_after(meeting, self.stream.between(1, 8)))
        return {
            "publication": [
                {
                    "channel": channel,
                    "reference": f"{self.seat.place.code}/{self.number}/{channel}",
                    "date": _iso(published),
                }
                for channel in ("gazette", "official_site", "newspaper")
            ],
            "interpretation": {"date": _iso(published), "digest": _digest(self.number, "interpretation")},
            "secrecy": None,
            "archive": {
                "catalogue": [],
                "digest": _digest(self.number, "archive"),
                "date": _iso(min(until, meeting + timedelta(days=self.stream.between(9, 14)))),
            },
            "execution": {
                "unit": lead,
                "reports": [
                    {
                        "date": _iso(min(until, meeting + timedelta(days=28))),
                        "digest": _digest(self.number, "report"),
                    }
                ],
            },
            "feedback": {"effect_percent": self.stream.between(92, 100), "opinions": self.stream.below(8)},
            "evaluation": None,
            "change": None,
        }


def _present(tree: Tree, seat: Seat, kinds: tuple[str, ...]) -> list[str]:
    codes = [f"{seat.place.code}-{kind}" for kind in kinds]
    return [code for code in codes if code in tree.by_code]


def _iso(day: date) -> str:
    return day.isoformat()


def _digest(number: str, part: str) -> str:
    """The digest a file of that name would have; the files themselves do not exist."""
    return hashlib.sha256(f"{number}/{part}".encode()).hexdigest()
