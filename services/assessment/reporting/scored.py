"""
Scored reports 自报评分入账: a score becomes a fact of the log in the transaction of the act that gave it (R20).

The fact is true of the period reported on: it occurs at the period's end, or now while the period still runs, for
an event cannot lie in the future (R42). So a report of 2026 scored in January 2027 counts in 2026. What reviewers
wrote stays with the report; the fact carries none of their words, because persons may be named in them.
"""

from datetime import datetime

from sqlalchemy import update

from contracts.findings import Evidence, Finding, Mode, graded
from contracts.findings.statement import score_text
from kernel.clock import end_of_day
from kernel.storage.work import Work
from services.assessment.framework.values import Framework, Node
from services.assessment.publication.closing import require_open
from services.assessment.reporting.model import REPORTS
from services.assessment.reporting.records import Head, advance, content_of, locked
from services.assessment.reporting.rules import SCORED, Content, Value, last_day
from services.assessment.scoring.own import PROBE_VERSION, OwnFact, append_own

PLACE = "/api/assessment/v1/reports"
REPORT_SUBJECT = "assessment/reports"


def subject_of(report: str) -> str:
    """How a report is named as a business object."""
    return f"{REPORT_SUBJECT}/{report}"


def occurred_at(period: str, now: datetime) -> datetime:
    """When a report about a period counts: at the period's end, or now while it runs."""
    return min(end_of_day(last_day(period)), now)


def fact_of(
    framework: Framework,
    node: Node,
    head: Head,
    content: Content,
    *,
    score_milli: int,
    value: Value | None,
    at: datetime,
    corrects: str = "",
) -> OwnFact:
    """The own fact of a scored report; `value` is what the review found true of a measured result."""
    numerator, denominator = (value.numerator, value.denominator) if value else (0, 0)
    verdict = graded(score_milli, f"自报经评审，得 {score_text(score_milli)}", numerator, denominator)
    return OwnFact(
        unit=head["unit"],
        subject=subject_of(head["id"]),
        mode=Mode.REPORTED,
        finding=Finding(
            probe=framework.collected_as(node),
            probe_version=PROBE_VERSION,
            outcome=verdict.outcome,
            score_milli=score_milli,
            occurred_at=at,
            basis=node.basis,
            numerator=numerator,
            denominator=denominator,
            reason=verdict.reason,
            evidence=tuple(
                Evidence(
                    item.reference, item.media_type, item.name, f"{PLACE}/{head['id']}/files/{item.reference}"
                )
                for item in content.evidence
                if item.kind == "file"
            ),
        ),
        corrects=corrects,
    )


def score(
    work: Work,
    framework: Framework,
    node: Node,
    head: Head,
    account: str,
    *,
    score_milli: int,
    value: Value | None,
    reasons: str,
) -> str:
    """Score a locked report for good; returns the id of its fact. Raises WrongState, RuleViolation."""
    require_open(work.session, head["period"])
    content = content_of(work.session, head["id"], head["submitted_version"])
    at = occurred_at(head["period"], work.clock.now())
    fact = fact_of(framework, node, head, content, score_milli=score_milli, value=value, at=at)
    event = append_own(work, [fact])[0]
    advance(work, head, "scored", account, reasons=reasons, score_milli=score_milli, fact=event)
    return event


def follow_correction(
    work: Work, subject: str, event: str, score_milli: int | None, *, actor: str, reasons: str
) -> None:
    """
    Keep a report up with a corrected score (R26), in the transaction that appended the correcting event.

    Called for whatever own fact is corrected after an objection 申诉; a subject that is no scored report is left
    alone. `score_milli` None: the correction says that there is no score.
    """
    head = locked(work, subject.removeprefix(f"{REPORT_SUBJECT}/"))
    if not subject.startswith(f"{REPORT_SUBJECT}/") or head is None or head["state"] != SCORED:
        return
    advance(work, head, "rescored", actor, reasons=reasons[:2000], score_milli=score_milli, fact=event)
    work.session.execute(update(REPORTS).where(REPORTS.c.id == head["id"]).values(score_milli=score_milli))
