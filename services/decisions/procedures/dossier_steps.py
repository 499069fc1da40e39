"""
From a dossier to steps 卷宗转步骤: the facts of a procedure handed in after the fact, in the order they happened.

Nothing is made better on the way: a review dated after the meeting becomes a step dated after the meeting.
"""

from collections.abc import Iterator
from datetime import date

from services.decisions.procedures import dossier as paper
from services.decisions.procedures.rules import later_steps as later
from services.decisions.procedures.rules import steps as early
from services.decisions.procedures.rules.procedure import AnyStep
from services.decisions.procedures.rules.steps import Document


def steps_of(facts: paper.Facts) -> list[AnyStep]:
    """The steps by day; of one day in the order of the regulation."""
    made = [*_starting(facts), *_parallel(facts), *_deciding(facts), *_afterwards(facts)]
    return sorted(made, key=lambda step: step.on)


def _starting(facts: paper.Facts) -> Iterator[AnyStep]:
    if facts.proposal:
        yield early.Proposed(
            kind="proposed",
            on=facts.proposal.date,
            source=facts.proposal.source,
            documents=_file("proposal", ""),
        )
    if facts.study:
        yield early.Studied(
            kind="studied",
            on=facts.study.date,
            parts=facts.study.parts,
            documents=_file("study_report", facts.study.digest),
        )
    if facts.start:
        yield _started(facts, facts.start)
    for draft in facts.drafts:
        yield _drafted(facts, draft)
    for related in facts.related_units or ():
        yield early.Consulted(
            kind="consulted",
            on=related.asked_on,
            unit=related.unit,
            replied_on=related.replied_on,
            overdue=related.overdue,
            agreed=related.agrees,
            statement=related.statement,
        )


def _started(facts: paper.Facts, start: paper.Start) -> early.Started:
    return early.Started(
        kind="started",
        on=start.date,
        documents=_file("start_decision", "", start.document) if start.document else (),
        undertakers=tuple(early.Undertaker(unit=u.unit, lead=u.lead) for u in facts.undertaking_units),
        reviewer=facts.review.unit if facts.review else "",
        catalogue_item=facts.catalogue.id if facts.catalogue else "",
        added_because=facts.catalogue.added_because if facts.catalogue else "",
        technical=facts.technical,
        risky=facts.risk_flag,
        market=facts.submission.touches_market if facts.submission else None,
        secret_basis=facts.secret_basis,
        party_report=facts.party_report.required if facts.party_report else None,
        related_units=tuple(related.unit for related in facts.related_units or ()),
    )


def _drafted(facts: paper.Facts, draft: paper.Draft) -> early.Drafted:
    """Survey, basis and analysis stand with the first version, which they were made for."""
    documents = [Document(kind="draft", digest=_prefixed(draft.digest))]
    first = draft.version == min(other.version for other in facts.drafts)
    if not first:
        return early.Drafted(kind="drafted", on=draft.date, version=draft.version, documents=tuple(documents))
    if facts.survey:
        documents.append(Document(kind="survey", digest=_prefixed(facts.survey.digest)))
    if facts.legal_basis:
        documents.append(Document(kind="legal_basis", digest=_prefixed(facts.legal_basis.digest)))
    analysis = facts.cost_benefit
    return early.Drafted(
        kind="drafted",
        on=draft.date,
        version=draft.version,
        documents=tuple(documents),
        basis=tuple(_cited(entry) for entry in facts.legal_basis.documents) if facts.legal_basis else (),
        cost_benefit=None if analysis is None else "not_needed" if analysis.not_needed_reason else "done",
        not_needed_because=analysis.not_needed_reason if analysis else "",
        options=facts.options,
        wide_dispute=None if facts.dispute is None else facts.dispute == "wide",
    )


def _cited(entry: str | dict[str, str]) -> early.CitedBasis:
    if isinstance(entry, str):
        return early.CitedBasis(document=entry)
    return early.CitedBasis(
        document=entry.get("document", ""), version=entry.get("version", ""), article=entry.get("article", "")
    )


def _parallel(facts: paper.Facts) -> Iterator[AnyStep]:
    for waived in facts.not_applicable:
        yield early.NotApplicable(
            kind="not_applicable", on=waived.date, branch=waived.branch, because=waived.because
        )
    if facts.consultation:
        yield _comment(facts.consultation)
    if facts.opinions is not None and facts.consultation:
        yield _opinions(facts, facts.consultation.close)
    if facts.hearing:
        yield _hearing(facts.hearing)
    if facts.experts or facts.expert_opinions:
        yield _experts(facts)
    if facts.risk:
        yield later.RiskAppraised(
            kind="risk_appraised",
            on=facts.risk.assessed_on,
            assessor=facts.risk.assessor,
            sections=facts.risk.sections,
            conclusion=facts.risk.conclusion,
            existing=facts.risk.existing,
            draft_version=facts.risk.draft_version,
            documents=_file("risk_report", facts.risk.digest),
        )


def _comment(consultation: paper.Consultation) -> early.CommentOpened:
    return early.CommentOpened(
        kind="comment_opened",
        on=consultation.open,
        closes_on=consultation.close,
        channels=consultation.channels,
        with_draft=consultation.notice.draft,
        with_explanation=consultation.notice.explanation,
        with_contact=consultation.notice.contact,
        with_closing_date=consultation.notice.closing_date,
        short_because=consultation.short_reason,
        documents=_file("comment_notice", ""),
    )


def _opinions(facts: paper.Facts, closed: date) -> early.OpinionsHandled:
    summary = facts.opinion_summary
    opinions = facts.opinions or ()
    return early.OpinionsHandled(
        kind="opinions_handled",
        on=(summary.published_on if summary else None) or closed,
        received=len(opinions),
        opinions=tuple(early.Opinion(id=o.id, status=o.status, because=o.reason) for o in opinions),
        documents=_file("opinion_summary", summary.digest) if summary else (),
    )


def _hearing(hearing: paper.Hearing) -> early.HearingHeld:
    """Time and place are announced with the rule unless a day of their own is given."""
    return early.HearingHeld(
        kind="hearing_held",
        on=hearing.date,
        rule_published_on=hearing.rule_published_on,
        list_published_on=hearing.list_published_on,
        place_published_on=hearing.place_published_on or hearing.rule_published_on,
        participants=tuple(
            early.Participant(id=p.id, delivered_on=p.delivered_on, confirmed=p.signature)
            for p in hearing.participants
        ),
        documents=_file("hearing_record", ""),
    )


def _experts(facts: paper.Facts) -> later.ExpertsArgued:
    answers = [answer for answer in facts.expert_opinions if answer.expert_index < len(facts.experts)]
    started = facts.start.date if facts.start else None
    days = [answer.date for answer in answers] or [day for day in (started, facts.decided_on) if day]
    return later.ExpertsArgued(
        kind="experts_argued",
        on=max(days),
        experts=tuple(
            later.Expert(
                id=expert.id,
                pool=expert.pool,
                outside_because=expert.outside_because,
                conflict=expert.conflict,
                differs=expert.stance == "differing",
            )
            for expert in facts.experts
        ),
        opinions=tuple(
            later.ExpertOpinion(
                expert=facts.experts[answer.expert_index].id,
                signed=answer.signed,
                covers=_covered(answer),
                status=answer.adoption,
                because=answer.adoption_reason,
            )
            for answer in answers
        ),
        documents=_file("expert_opinions", ""),
    )


def _covered(answer: paper.ExpertAnswer) -> tuple[later.Covered, ...]:
    said: tuple[tuple[later.Covered, str], ...] = (
        ("necessity", answer.necessity),
        ("feasibility", answer.feasibility),
        ("soundness", answer.science),
    )
    return tuple(name for name, text in said if text)


def _deciding(facts: paper.Facts) -> Iterator[AnyStep]:
    if facts.review:
        yield from _review(facts.review)
    if facts.submission:
        kinds = list(facts.submission.materials)
        if facts.submission.fair_competition:
            kinds.append("fair_competition")
        yield later.DiscussionSubmitted(
            kind="discussion_submitted",
            on=facts.submission.completed_on,
            documents=tuple(Document(kind=kind) for kind in kinds),
        )
    if facts.meeting:
        yield _discussed(facts.meeting)
    if facts.party_report and facts.party_report.date:
        yield later.PartyReported(
            kind="party_reported", on=facts.party_report.date, number=facts.party_report.document
        )
    if facts.decided_on:
        yield later.Decided(
            kind="decided", on=facts.decided_on, documents=_file("decision", facts.decision_digest)
        )


def _review(review: paper.Review) -> Iterator[AnyStep]:
    documents = tuple(Document(kind=kind) for kind in review.materials)
    for returned in review.returned:
        yield later.ReviewReturned(kind="review_returned", on=returned.date, because=returned.reason)
    if review.submitted_on:
        yield later.ReviewSubmitted(kind="review_submitted", on=review.submitted_on, documents=documents)
    if review.complete_on:
        yield later.ReviewComplete(kind="review_complete", on=review.complete_on, documents=documents)
    if review.issued_on is None:
        return
    yield later.ReviewIssued(
        kind="review_issued",
        on=review.issued_on,
        unit=review.unit,
        parts=review.parts,
        conclusion=review.conclusion,
        exploratory=review.exploratory,
        legal_risk=review.risk_text,
        urgent_note=review.urgency_note,
        advisers=None if review.advisers is None else bool(review.advisers),
        remarks=tuple(remark.id for remark in review.remarks),
        documents=_file("review_opinion", ""),
    )
    answered = tuple(
        later.Response(remark=remark.id, text=remark.response) for remark in review.remarks if remark.response
    )
    if answered:
        yield later.ReviewAnswered(kind="review_answered", on=review.issued_on, responses=answered)


def _discussed(meeting: paper.Meeting) -> later.Discussed:
    said = {opinion.member: opinion for opinion in meeting.opinions}
    order = meeting.order or tuple(said)
    views = tuple(
        later.View(member=member, view=said[member].opinion, text=said[member].reason)
        if member in said
        else later.View(member=member)
        for member in order
    )
    return later.Discussed(
        kind="discussed",
        on=meeting.date,
        meeting=meeting.type,
        members=len(meeting.members),
        quorum=meeting.quorum,
        attended=len(meeting.present),
        head=meeting.head,
        views=views,
        outcome="rejected" if meeting.head_decision == "disagree" else "passed",
        head_view=meeting.head_decision,
        majority=meeting.majority,
        departs_because=meeting.departure_reason,
        documents=_file("meeting_minutes", ""),
    )


def _afterwards(facts: paper.Facts) -> Iterator[AnyStep]:
    yield from _published(facts)
    if facts.archive:
        yield later.Archived(
            kind="archived",
            on=facts.archive.date,
            kinds=facts.archive.catalogue,
            checked=bool(facts.archive.digest),
            documents=_file("archive_catalogue", facts.archive.digest),
        )
    execution = facts.execution
    if execution and execution.unit and (since := execution.since or facts.decided_on):
        yield later.ExecutionAssigned(kind="execution_assigned", on=since, unit=execution.unit)
    for report in execution.reports if execution else ():
        feedback = facts.feedback or paper.Feedback()
        yield later.ExecutionReported(
            kind="execution_reported",
            on=report.date,
            effect_percent=feedback.effect_percent,
            public_opinions=feedback.opinions,
            evaluation_needed=feedback.evaluation_needed,
        )
    if evaluation := facts.evaluation:
        yield later.Evaluated(
            kind="evaluated",
            on=evaluation.date,
            evaluator=evaluation.evaluator,
            third_party=evaluation.third_party,
            result=evaluation.result,
        )
    if change := facts.change:
        yield later.Changed(
            kind="changed",
            on=change.date,
            major=change.major,
            procedure=change.procedure,
            because=change.reason,
        )


def _published(facts: paper.Facts) -> Iterator[later.Published]:
    """One step a day on which something was published."""
    for day in sorted({entry.date for entry in facts.publication}):
        yield later.Published(
            kind="published",
            on=day,
            channels=tuple(entry.channel for entry in facts.publication if entry.date == day),
            interpreted=facts.interpretation is not None,
        )
    if facts.secrecy and (withheld_on := facts.secrecy.date or facts.decided_on):
        yield later.Published(
            kind="published",
            on=withheld_on,
            withheld_basis=facts.secrecy.basis,
            withheld_approver=facts.secrecy.approver,
        )


def _file(kind: str, digest: str, name: str = "") -> tuple[Document, ...]:
    return (Document(kind=kind, name=name, digest=_prefixed(digest)),)


def _prefixed(digest: str) -> str:
    return digest if not digest or ":" in digest else f"sha256:{digest}"
