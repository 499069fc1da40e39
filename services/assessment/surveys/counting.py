"""What has come in of surveys, counted: sums by unit and result, what was counted before, progress, files."""

from datetime import datetime, timedelta

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contracts.findings import Evidence, Finding, Mode, Outcome
from kernel.clock import start_of_day
from services.assessment.framework.values import Framework
from services.assessment.objections.upheld import Held, Replacing, told
from services.assessment.ranking.known import until
from services.assessment.reporting.scored import occurred_at
from services.assessment.scoring.own import PROBE_VERSION, OwnFact
from services.assessment.surveys.model import SURVEY_ANSWERS, SURVEY_BATCHES, SURVEY_CODES, SURVEY_COUNTS
from services.assessment.surveys.rules import WAYS, Progress, Survey
from services.assessment.tables import UNITS


def sums_of(session: Session, survey: Survey) -> dict[tuple[str, str], tuple[int, int]]:
    """
    (unit, result) -> sum of marks and number of people who answered; streamed.

    Of several questions about one result, a person's mark is the mean, rounded half up: whoever answers three
    questions is one person still, as `responses_at_least` counts people.
    """
    questions: dict[str, list[str]] = {}
    for question in survey.questions:
        questions.setdefault(question.result, []).append(question.id)
    sums: dict[tuple[str, str], list[int]] = {}
    query = select(SURVEY_ANSWERS.c.unit, SURVEY_ANSWERS.c.marks).where(SURVEY_ANSWERS.c.survey == survey.id)
    for row in session.execute(query.execution_options(yield_per=5000)):
        given = orjson.loads(row.marks)
        for result, asked in questions.items():
            total = sums.setdefault((row.unit, result), [0, 0])
            total[0] += (2 * sum(given[question] for question in asked) + len(asked)) // (2 * len(asked))
            total[1] += 1
    return {place: (total[0], total[1]) for place, total in sorted(sums.items())}


def counted_before(session: Session, survey: str) -> dict[tuple[str, str], tuple[str, int]]:
    """(unit, result) -> the fact that stands and how many answers it counted."""
    rows = session.execute(
        select(SURVEY_COUNTS).where(SURVEY_COUNTS.c.survey == survey).order_by(SURVEY_COUNTS.c.counted_at)
    )
    return {(row.unit, row.result): (str(row.event_id), row.responses) for row in rows}


def evidence_of(session: Session, survey: Survey) -> tuple[Evidence, ...]:
    rows = session.execute(select(SURVEY_BATCHES).where(SURVEY_BATCHES.c.survey == survey.id))
    return tuple(
        Evidence(
            row.digest, row.media_type, row.name, f"/api/assessment/v1/surveys/{survey.id}/files/{row.digest}"
        )
        for row in rows
    )


def progress_of(session: Session, survey: str, at: datetime | None = None) -> list[Progress]:
    """How far a survey has come, or had, unit by unit."""
    found: dict[str, list[int]] = {}
    came = ((SURVEY_CODES, SURVEY_CODES.c.issued_at), (SURVEY_ANSWERS, SURVEY_ANSWERS.c.answered_at))
    for place, (table, came_at) in enumerate(came):
        query = select(table.c.unit, func.count()).where(table.c.survey == survey, until(came_at, at))
        for unit, count in session.execute(query.group_by(table.c.unit)):
            found.setdefault(unit, [0, 0, 0])[place] = count
    counted = select(SURVEY_COUNTS.c.unit, func.max(SURVEY_COUNTS.c.responses)).where(
        SURVEY_COUNTS.c.survey == survey, until(SURVEY_COUNTS.c.counted_at, at)
    )
    for unit, count in session.execute(counted.group_by(SURVEY_COUNTS.c.unit)):
        found.setdefault(unit, [0, 0, 0])[2] = count
    units = UNITS.table_at(at)
    names = {row.code: row.name for row in session.execute(select(units.c.code, units.c.name))}
    return [Progress(unit, names.get(unit, unit), *counts) for unit, counts in sorted(found.items())]


def fact_of(
    survey: Survey,
    framework: Framework,
    place: tuple[str, str],
    marks: int,
    responses: int,
    evidence: tuple[Evidence, ...],
    held: Held | None,
    said: Replacing,
    now: datetime,
) -> OwnFact:
    """The score fact of one place (unit, result); `held` is what stands there now, which it corrects."""
    unit, result = place
    node = framework.node(result)
    assert node is not None  # who counts saw to it
    mean = marks // responses
    return OwnFact(
        unit=unit,
        subject=f"assessment/surveys/{survey.id}",
        mode=Mode.EXTERNAL,
        corrects=held.event if held else "",
        finding=Finding(
            probe=framework.collected_as(node),
            probe_version=PROBE_VERSION,
            outcome=Outcome.PASS if mean == 1000 else Outcome.FAIL,
            score_milli=mean,
            numerator=marks,
            denominator=responses * 1000,
            occurred_at=min(
                occurred_at(survey.period, now),
                start_of_day(survey.closes_on + timedelta(days=1)) - timedelta(seconds=1),
            ),
            basis=node.basis,
            evidence=evidence,
            reason=told(
                f"{WAYS[survey.way]}有效答卷 {responses} 份，平均 {mean // 10}.{mean % 10} 分", held, said
            ),
        ),
    )
