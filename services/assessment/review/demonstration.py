"""
Demonstration of self-report and review 演示数据: a county's units report, reviewers answer, scores enter the log.

Deterministic: the same area, year and seed give the same reports, states and scores. Written set-wise, through the
same rows, rules and facts as people make, so that what is shown is what the platform would have made itself. Reviewers
made up here never sign in and take no new work; those whose accounts are handed in get what waits.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from kernel.access.principal import SYSTEM, Principal
from kernel.clock import local_date, start_of_day
from kernel.ids import derived_id
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.assessment.app import Assessment
from services.assessment.framework.values import Framework, Node
from services.assessment.reporting.model import REPORT_EVENTS, REPORT_FILES, REPORT_VERSIONS, REPORTS
from services.assessment.reporting.records import head_row, version_row
from services.assessment.reporting.rules import (
    Content,
    EvidenceItem,
    Value,
    asked,
    last_day,
    needs_value,
    suggested_milli,
)
from services.assessment.reporting.scored import fact_of
from services.assessment.review.model import REVIEW_ASSIGNMENTS, REVIEW_MARKS
from services.assessment.review.roster import places
from services.assessment.review.rules import (
    ARBITRATION,
    FIRST,
    SECOND,
    Agreed,
    Arbitrate,
    Mark,
    Reviewer,
    is_drawn,
    settle,
)
from services.assessment.scoring.own import append_own
from services.assessment.scoring.tallies import Assessed, assessed_units

FILE_NAME = "演示材料清单.txt"
_STATEMENTS = (
    "已按要求办理并公开，年内开展自查两次，发现的问题已整改。",
    "制度已建立并执行，台账齐全；个别环节办理时间偏长，正在改进。",
    "已部署并落实到责任科室，第三季度完成阶段目标，尚有少量事项在办。",
    "按季度调度，指标完成情况良好，下一步完善流程、补齐短板。",
)
_REASONS = ("材料齐全，达到要求。", "基本达到要求，台账个别缺项。", "部分达到要求，成效材料不足。")


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """How much was made."""

    reports: int
    scored: int
    returned: int
    waiting: int
    drafts: int


@dataclass(frozen=True, slots=True)
class Planted:
    """
    Who cheats 植入的弄虚作假: units by code.

    `polished` write themselves up and are found wanting from outside, `rushed` report their year in the last days
    before `deadline`, `copied` all hand in the file of the first.
    """

    polished: frozenset[str] = frozenset()
    rushed: frozenset[str] = frozenset()
    deadline: date | None = None
    copied: tuple[str, ...] = ()

    def signs(self) -> set[tuple[str, str]]:
        """The truth: (kind of sign, unit)."""
        kinds = (("gap", self.polished), ("bunching", self.rushed), ("copied", self.copied))
        return {(kind, unit) for kind, units in kinds for unit in units}


@dataclass(slots=True)
class _Rows:
    """Rows to be written, table by table, and the facts that scores become."""

    heads: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    events: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    facts: list[tuple[dict[str, Any], Any]]


NOBODY = Planted()


def demonstrate(
    app: Assessment,
    *,
    area: str,
    year: int,
    seed: int = 1,
    reviewers: Sequence[Principal] = (),
    planted: Planted = NOBODY,
) -> Demonstrated:
    """
    Fill in self-reports and reviews of the units whose path begins with `area`, for one year; again does nothing.

    `reviewers`: accounts that exist and take part from now on, such as `shenhe.xian`. `planted`: who cheats.
    """
    for who in reviewers:
        app.roster.join(who)
    framework = app.frameworks.current()
    with app.store.reading() as session:
        known = assessed_units(session, framework)
    units = [unit for unit in known if unit.path.startswith(area)]
    contents = {unit.code: _file(unit) for unit in units}
    for unit_code in planted.copied:
        contents[unit_code] = contents[planted.copied[0]]
    files = {unit: (app.evidence_files.keep(content), len(content)) for unit, content in contents.items()}
    over = [unit for unit in known if area.startswith(_seat(unit)) and unit.group.id.endswith("departments")]
    story = (app, framework, units, over, str(year), str(seed), files, planted)
    made = app.store.transact(lambda work: _Story(work, *story).told())
    app.assigning.assign_waiting()
    return made


def _file(unit: Assessed) -> bytes:
    """A unit's evidence; each has its own, for the same file of two units is a sign of copying."""
    return f"{FILE_NAME}\n{unit.name}（{unit.code}）\n本文件为演示数据。\n".encode()


class _Story:
    """One county's year of reporting, in the transaction of `work`."""

    def __init__(
        self,
        work: Work,
        app: Assessment,
        framework: Framework,
        units: Sequence[Assessed],
        over: Sequence[Assessed],
        year: str,
        seed: str,
        files: Mapping[str, tuple[str, int]],
        planted: Planted,
    ) -> None:
        self._app, self._work, self._framework, self._units = app, work, framework, units
        self._over, self._year, self._seed = over, year, seed
        self._files, self._planted = files, planted
        self._places = places(work.session, [unit.code for unit in (*units, *over)])
        self._carried: dict[str, int] = {}
        self._due = app.reports.due_on(self._year)
        self._rows = _Rows([], [], [], [], [], [])

    def told(self) -> Demonstrated:
        fresh = [(unit, node) for unit in self._units for _, node in asked(self._framework, unit.group)]
        roster = list(self._roster())
        for unit, node in fresh:
            self._one(unit, node, roster)
        written = {
            str(row.id)
            for row in write_rows(
                self._work.session,
                REPORTS,
                self._rows.heads,
                keys=("id",),
                on_conflict="nothing",
                returning=("id",),
            )
        }
        self._write(written)
        heads = [head for head in self._rows.heads if head["id"] in written]
        counts = {
            state: sum(head["state"] == state for head in heads)
            for state in ("scored", "returned", "submitted", "draft")
        }
        self._work.audit(
            SYSTEM, "reports.demonstrated", f"reports/{self._year}", object_version=str(len(heads))
        )
        return Demonstrated(
            len(heads), counts["scored"], counts["returned"], counts["submitted"], counts["draft"]
        )

    def _write(self, written: set[str]) -> None:
        session, rows = self._work.session, self._rows
        files = [
            {
                "unit": unit.code,
                "digest": self._files[unit.code][0],
                "year": self._year,
                "name": FILE_NAME,
                "media_type": "text/plain",
                "size": self._files[unit.code][1],
                "uploaded_by": "demonstration",
                "uploaded_at": self._work.clock.now(),
            }
            for unit in self._units
        ]
        write_rows(session, REPORT_FILES, files, keys=("unit", "digest", "year"), on_conflict="nothing")
        facts = [(event, fact) for event, fact in rows.facts if event["report"] in written]
        for (event, _), name in zip(facts, append_own(self._work, [fact for _, fact in facts]), strict=True):
            event["fact"] = name
        for table, found in (
            (REPORT_VERSIONS, rows.versions),
            (REPORT_EVENTS, rows.events),
            (REVIEW_ASSIGNMENTS, rows.assignments),
            (REVIEW_MARKS, rows.marks),
        ):
            write_rows(session, table, [row for row in found if row["report"] in written])

    def _roster(self) -> Iterator[Reviewer]:
        """Made-up reviewers: one from every department of the area and above it, each for its government's area."""
        for unit in {unit.code: unit for unit in (*self._units, *self._over)}.values():
            if unit.code in self._places and unit.group.id.endswith("departments"):
                yield Reviewer(f"demo.{unit.code}", self._places[unit.code], _seat(unit))

    def _one(self, unit: Assessed, node: Node, roster: Sequence[Reviewer]) -> None:
        chance = self._draw("state", unit.code, node.code) % 100
        if chance >= 88:
            return  # not started yet
        head = head_row(self._framework, node, unit, self._year, self._due, self._work)
        content = self._content(unit, node)
        at = self._submitted_at(unit, node)
        head |= {"version": 1, "changed_at": at}
        self._rows.heads.append(head)
        self._rows.versions.append(version_row(head["id"], 1, content, f"demo.{unit.code}", at))
        if chance >= 82:
            return  # a draft
        head |= {"state": "submitted", "submitted_version": 1, "round": 1, "submitted_at": at}
        self._event(head, "submitted", f"demo.{unit.code}.head", at)
        if chance < 74:
            self._reviewed(unit, node, head, content, roster, is_return=chance >= 68)

    def _reviewed(
        self,
        unit: Assessed,
        node: Node,
        head: dict[str, Any],
        content: Content,
        roster: Sequence[Reviewer],
        *,
        is_return: bool,
    ) -> None:
        place = self._places[unit.code]
        drawn = is_drawn(
            self._app.assigning.settings.seed, head["id"], self._app.assigning.settings.second_share_milli
        )
        given: list[Reviewer] = []
        for _ in range(2 if drawn else 1):
            but = frozenset(one.account for one in given)
            found = self._app.assigning.pick(roster, place, self._carried, head["id"], but=but)
            if found is None:
                break
            given.append(found)
        if not given:
            return  # nobody may review it: it waits
        at = head["submitted_at"] + timedelta(days=3)
        marks = {
            number: self._mark(unit, node, content, number, is_return=is_return)
            for number in (FIRST, SECOND)[: len(given)]
        }
        tolerance = self._app.assigning.settings.tolerance_milli
        outcome = settle(marks, asked=len(given), tolerance_milli=tolerance)
        if isinstance(outcome, Arbitrate):
            middle = (marks[FIRST].score_milli + marks[SECOND].score_milli + 1) // 2
            marks[ARBITRATION] = Mark("score", "两位评审差距较大，核对材料后认定。", middle)
            given.append(Reviewer("demo.inspector", place, ""))
            outcome = settle(marks, asked=2, tolerance_milli=tolerance)
        self._answers(head, given, marks, at)
        self._event(head, "review_opened", given[0].account, at)
        if isinstance(outcome, Agreed):
            event = self._event(head, "scored", given[-1].account, at, outcome.reasons, outcome.score_milli)
            head |= {"state": "scored", "score_milli": outcome.score_milli, "changed_at": at}
            fact = fact_of(
                self._framework,
                node,
                head,
                content,
                score_milli=outcome.score_milli,
                value=outcome.value,
                at=at,
            )
            if unit.code in self._planted.rushed:
                fact = replace(fact, recorded_at=at)
            self._rows.facts.append((event, fact))
        else:
            self._event(head, "returned", given[-1].account, at, marks[FIRST].reasons)
            head |= {"state": "returned", "changed_at": at}

    def _mark(self, unit: Assessed, node: Node, content: Content, number: int, *, is_return: bool) -> Mark:
        if is_return:
            return Mark("return", "佐证材料与情况说明不对应，请补充文件原文。")
        assert node.method is not None
        if needs_value(node.method):
            return Mark(
                "score", "数值与台账一致。", suggested_milli(node.method, content.value) or 0, content.value
            )
        base = 550 + self._draw("mark", unit.code, node.code) % 46 * 10
        if unit.code in self._planted.polished:
            base = 950 + base % 50
        if number == SECOND:
            base += (self._draw("second", unit.code, node.code) % 27 - 13) * 10
        score = max(0, min(1000, base))
        return Mark("score", _REASONS[0 if score >= 850 else 1 if score >= 700 else 2], score)

    def _answers(
        self, head: dict[str, Any], given: Sequence[Reviewer], marks: dict[int, Mark], at: datetime
    ) -> None:
        for number, who in enumerate(given, start=1):
            mark = marks[number]
            row = self._app.assigning.row(self._work, head["id"], head["unit"], 1, number, who.account)
            row |= {"assigned_at": head["submitted_at"], "opened_at": at, "done_at": at}
            row["due_on"] = self._app.assigning.due(number, head["submitted_at"].date()).due_on
            self._rows.assignments.append(row)
            self._rows.marks.append(
                {
                    "report": head["id"],
                    "round": 1,
                    "place": number,
                    "assignment": row["id"],
                    "reviewer": who.account,
                    "decision": mark.decision,
                    "score_milli": mark.score_milli if mark.decision == "score" else None,
                    "numerator": mark.value.numerator if mark.value else None,
                    "denominator": mark.value.denominator if mark.value else None,
                    "reasons": mark.reasons,
                    "marked_at": at,
                }
            )

    def _event(
        self,
        head: dict[str, Any],
        act: str,
        actor: str,
        at: datetime,
        reasons: str = "",
        score: int | None = None,
    ) -> dict[str, Any]:
        number = 1 + sum(event["report"] == head["id"] for event in self._rows.events[-4:])
        event = {
            "report": head["id"],
            "number": number,
            "act": act,
            "round": 1,
            "version": 1,
            "actor": actor,
            "at": at,
            "reasons": reasons,
            "score_milli": score,
            "fact": "",
        }
        self._rows.events.append(event)
        return event

    def _content(self, unit: Assessed, node: Node) -> Content:
        draw = self._draw("content", unit.code, node.code)
        file = EvidenceItem("file", self._files[unit.code][0], FILE_NAME, "text/plain")
        content = Content(f"{node.title}：{_STATEMENTS[draw % len(_STATEMENTS)]}", None, (file,))
        if node.method is not None and needs_value(node.method):
            denominator = 20 + draw % 180
            return replace(content, value=Value(denominator - draw // 7 % (denominator // 5), denominator))
        return content

    def _submitted_at(self, unit: Assessed, node: Node) -> datetime:
        """An office hour of some day of the year so far; a week before now at the latest, for reviews take time."""
        first = last_day(self._year).replace(month=1, day=5)
        latest = min(local_date(self._work.clock.now()), last_day(self._year)) - timedelta(days=7)
        draw = self._draw("at", unit.code, node.code)
        if unit.code in self._planted.rushed and self._planted.deadline is not None:
            first = self._planted.deadline - timedelta(days=6)  # three days later it has been reviewed
            return start_of_day(first + timedelta(days=draw % 3)) + timedelta(
                hours=9, minutes=draw // 400 % 480
            )
        day = first + timedelta(days=draw % max(1, (latest - first).days))
        return start_of_day(day) + timedelta(hours=9, minutes=draw // 400 % 480)

    def _draw(self, *parts: str) -> int:
        """A number that follows from the seed and what it is for."""
        name = derived_id("report-demonstration", self._seed, self._year, *parts)
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def _seat(unit: Assessed) -> str:
    """The path of the government that a unit belongs to."""
    return unit.path.rstrip("/").rpartition("/")[0] + "/"
