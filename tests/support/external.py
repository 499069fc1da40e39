"""What people outside say, for pages that show it: a survey that runs, and an objection that was upheld."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from kernel.access.principal import Principal
from services.assessment.app import Assessment
from services.assessment.objections.rules import Answer
from services.assessment.scoring.model import EVENT_LOG
from services.assessment.surveys.rules import Option, Question, Survey


def a_web_survey(app: Assessment, who: Principal, agrees: Principal, today: date) -> str:
    """A survey on the web that runs today, about two results of a framework that is put in force for next year."""
    asked = app.framework_changes.propose_in_force(who, "composite-50-30-20", "1", today.year + 1, "")
    app.framework_changes.decide(agrees, asked, "", approved=True)
    options = (Option("满意", 1000), Option("一般", 500), Option("不满意", 0))
    questions = tuple(
        Question(f"Q{at}", text, "SV.TEL.LAW", options)
        for at, text in enumerate(("依法办事的满意度", "履行职责的满意度"), 1)
    )
    survey = Survey(
        id="0190f2c4-0000-7000-8000-0000000000aa",
        framework="composite-50-30-20",
        period=str(today.year + 1),
        title="依法履职满意度测评",
        way="web",
        opens_on=today - timedelta(days=1),
        closes_on=date(today.year + 1, 1, 31),
        questions=questions,
    )
    return app.surveys.set_up(who, survey)


def upheld(app: Assessment, subject: str, head: Principal, answers: Principal) -> str:
    """A unit's objection against what was found of it there, partly upheld by two others; returns its id."""
    of_unit = EVENT_LOG.c.unit == head.unit, EVENT_LOG.c.leaf.contains(f'"{subject}"')
    with app.store.reading() as session:
        event = session.scalars(select(EVENT_LOG.c.event_id).where(*of_unit)).one()
    objections = app.supervision.objections
    objection = objections.file(head, str(event), asked="pass", grounds="核对后应为九成")
    drafts, confirms = (replace(answers, account=account) for account in ("fuhe.jia", "fuhe.yi"))
    objections.accept(drafts, objection)
    objections.draft(drafts, objection, Answer("partly", "经核对属实", 900))
    objections.confirm(confirms, objection)
    return objection
