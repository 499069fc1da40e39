"""
Conformance 合规评价: which template judges a procedure, and what its 26 items say today.

A judgement is reckoned from the recorded steps whenever it is wanted; only its sum is kept beside the procedure.
Findings go to the register, which tells the others no more than what changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from contracts.findings import Finding, Mode, Outcome, Verdict
from contracts.findings.register import Found
from kernel.calendar import WorkingCalendar
from kernel.clock import local_date, start_of_day
from kernel.errors import NotFound, RuleViolation
from kernel.storage.setwise import write_rows
from kernel.storage.work import Work
from services.decisions.conformance.model import TEMPLATES, TemplateRow
from services.decisions.conformance.rules.aftermath import archive_due, publication_due
from services.decisions.conformance.rules.items import items
from services.decisions.conformance.rules.look import Look
from services.decisions.conformance.rules.scoring import Result, result_of
from services.decisions.conformance.template import Template, parse
from services.decisions.procedures.rules.later_steps import Archived, Decided, ExecutionAssigned, Published
from services.decisions.procedures.rules.procedure import Procedure


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the items say of one procedure on a day, and the next day on which they may say otherwise."""

    template: Template
    verdicts: Mapping[str, Verdict]
    result: Result
    next_look_on: date | None


class Conformance:
    """Judges procedures by templates."""

    def __init__(self, templates: Sequence[Template], calendar: WorkingCalendar) -> None:
        self._templates = tuple(templates)
        self.calendar = calendar
        self._pinned: dict[tuple[str, str], Template] = {(t.id, t.version): t for t in templates}

    def in_force(self, day: date) -> Template:
        """The newest template valid on a day; the oldest one for days before them all."""
        if not self._templates:
            raise NotFound(
                "没有重大行政决策评价模板，请将模板放入 catalog/templates 后重试。",
                code="decisions.no_template",
            )
        valid = [template for template in self._templates if template.valid_from <= day]
        return valid[-1] if valid else self._templates[0]

    def pin(self, work: Work, templates: Sequence[Template]) -> None:
        """Keep these templates as they are; raises RuleViolation when a pinned one was edited since."""
        for template in {(t.id, t.version): t for t in templates}.values():
            row = {
                "id": template.id,
                "version": template.version,
                "digest": template.digest,
                "body": template.body,
                "pinned_at": work.clock.now(),
            }
            write_rows(work.session, TEMPLATES, [row], keys=("id", "version"), on_conflict="nothing")
            kept = work.session.get_one(TemplateRow, (template.id, template.version))
            if kept.digest != template.digest:
                raise RuleViolation(
                    f"评价模板 {template.id} 第{template.version}版已有决策在用，不能修改；请另编版本号。",
                    code="decisions.template_edited",
                )

    def pinned(self, session: Session, template_id: str, version: str) -> Template:
        """A pinned template, from the database where the folder has another by that name or none."""
        row = session.execute(
            select(TEMPLATES.c.body, TEMPLATES.c.digest).where(
                TEMPLATES.c.id == template_id, TEMPLATES.c.version == version
            )
        ).one_or_none()
        known = self._pinned.get((template_id, version))
        if row is None:
            if known is None:
                raise NotFound(
                    "找不到这项决策所用的评价模板，请联系系统管理员。", code="decisions.no_template"
                )
            return known
        if known is None or known.digest != row.digest:
            known = parse(orjson.loads(row.body))
        return known

    def is_ready(self, procedure: Procedure, template: Template, today: date) -> bool:
        """Whether a decision is to be judged: published, filed, or decided and overdue with both."""
        decided = procedure.first(Decided)
        if decided is None:
            return False
        if procedure.has("published") or procedure.has("archived"):
            return True
        return today > publication_due(self._look(procedure, template, today), decided.on).due_on

    def judge(self, procedure: Procedure, template: Template, today: date) -> Judgement:
        """All 26 items and their sum."""
        look = self._look(procedure, template, today)
        verdicts = {probe.name: probe.rule(look) for probe in items()}
        return Judgement(
            template,
            verdicts,
            result_of(template.items, template.bands, verdicts),
            self.next_look(procedure, template, today),
        )

    def next_look(self, procedure: Procedure, template: Template, today: date) -> date | None:
        """The day after the next period that runs out, while one of them is still open."""
        decided = procedure.first(Decided)
        if decided is None:
            return None
        look = self._look(procedure, template, today)
        ends = [publication_due(look, decided.on).due_on, archive_due(look, decided.on)]
        within, assigned = look.optional("DEC-26", "report_within_days"), procedure.first(ExecutionAssigned)
        if within is not None and assigned is not None:
            ends.append(assigned.on + timedelta(days=within))
        return min((end + timedelta(days=1) for end in ends if end >= today), default=None)

    def _look(self, procedure: Procedure, template: Template, today: date) -> Look:
        return Look(procedure, template.settings, self.calendar, today)


def found(
    procedure_id: str, *, unit: str, mode: Mode, procedure: Procedure, judgement: Judgement, now: datetime
) -> Iterator[Found]:
    """The findings of a judged procedure, each for the deciding government, with the lead unit in the reason."""
    subject = f"decisions/decisions/{procedure_id}"
    for probe in items():
        verdict = judgement.verdicts[probe.name]
        finding = Finding(
            probe=probe.name,
            probe_version=probe.version,
            outcome=verdict.outcome,
            score_milli=verdict.score_milli,
            occurred_at=min(start_of_day(_day_of(probe.name, procedure, now)), now),
            basis=probe.basis,
            reason=verdict.reason,
        )
        if verdict.outcome is Outcome.FAIL and procedure.lead:
            finding = replace(finding, reason=f"{verdict.reason}（承办单位 {procedure.lead}）")
        yield Found(subject, unit, mode, finding)


def _day_of(item: str, procedure: Procedure, now: datetime) -> date:
    """The day that decides the period: of publication and filing where they happened, else of the decision."""
    kinds: dict[str, type[Published] | type[Archived]] = {"DEC-24": Published, "DEC-25": Archived}
    own = procedure.first(kinds[item]) if item in kinds else None
    day = own or procedure.first(Decided)
    return day.on if day is not None else local_date(now)
