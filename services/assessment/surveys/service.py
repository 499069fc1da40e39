"""
What is done with surveys: set up, handed out as codes, answered, taken in from a third party, counted.

Counting turns the answers of a unit into one score fact a result, external by its mode; counted again after more
answers came, the new fact corrects the earlier one, and one that an upheld objection corrected only if that is said.
Nobody's answer is ever shown; who answered is not known.

A survey is for the part of the tree of whoever set it up: staff above it and in it work with it, each with codes,
answers and counts of the units in reach. Whoever answers is nobody: the code alone says what it is for.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.access.principal import ANONYMOUS, Principal
from kernel.clock import local_date
from kernel.errors import Conflict, Invalid, NotFound, Problem
from kernel.files.intake import Kept
from kernel.ids import is_id, new_id
from kernel.storage.blobs import Blobs
from kernel.storage.reach import beyond
from kernel.storage.setwise import write_rows
from kernel.storage.work import Store, Work
from services.assessment.framework.service import Frameworks
from services.assessment.framework.values import Framework
from services.assessment.objections.upheld import (
    SAID_NOTHING,
    Replacing,
    demand_said,
    held_by,
    note_replaced,
)
from services.assessment.publication.closing import require_open
from services.assessment.ranking.known import end_of, until
from services.assessment.reach import seen_by, within
from services.assessment.reporting.rules import check_begun
from services.assessment.scoring.model import LOG_HEAD
from services.assessment.scoring.own import append_own
from services.assessment.surveys.counting import (
    counted_before,
    evidence_of,
    fact_of,
    progress_of,
    sums_of,
)
from services.assessment.surveys.model import (
    SURVEY_ANSWERS,
    SURVEY_BATCHES,
    SURVEY_CODES,
    SURVEY_COUNTS,
    SURVEYS,
)
from services.assessment.surveys.reading import rows_of
from services.assessment.surveys.rules import (
    Answer,
    Fault,
    Option,
    Progress,
    Question,
    Survey,
    check_open,
    check_survey,
    marked,
    new_code,
    read_rows,
)
from services.assessment.tables import UNITS

MOST_CODES = 5_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file of answers: taken, or why not."""

    answers: int
    units: int
    faults: tuple[Fault, ...]
    digest: str
    taken: bool


class Surveys:
    """The surveys of an installation."""

    def __init__(self, store: Store, frameworks: Frameworks, blobs: Blobs) -> None:
        self._store = store
        self._frameworks = frameworks
        self._blobs = blobs

    def set_up(self, who: Principal, survey: Survey) -> str:
        """Set a survey up; its framework is the one in force for the year. Raises Invalid."""
        check_survey(survey, self._framework(survey))
        with self._store.work() as work:
            require_open(work.session, survey.period)
            row = asdict(survey) | {
                "questions": orjson.dumps([asdict(question) for question in survey.questions]).decode(),
                "scope": who.unit_path,
                "created_by": who.account,
                "created_at": work.clock.now(),
            }
            work.session.execute(insert(SURVEYS).values(**row))
            work.audit(who, "survey.set_up", f"surveys/{survey.id}")
            work.commit()
        return survey.id

    def every(self, who: Principal, day: date | None = None) -> list[tuple[Survey, int]]:
        """Surveys with how many answers each has (by the end of a day) about units the caller reaches, newest first."""
        at, answered = end_of(self._store.clock, day), SURVEY_ANSWERS.c
        counted = select(answered.survey, func.count()).where(
            within(who, answered.unit), until(answered.answered_at, at)
        )
        seen = seen_by(who, SURVEYS.c.scope), until(SURVEYS.c.created_at, at)
        wanted = select(SURVEYS).where(*seen).order_by(SURVEYS.c.created_at.desc())
        with self._store.reading() as session:
            found = session.execute(counted.group_by(SURVEY_ANSWERS.c.survey))
            answers = {str(row[0]): row[1] for row in found}
            rows = session.execute(wanted.limit(200)).all()
            return [(_survey(row), answers.get(str(row.id), 0)) for row in rows]

    def one(self, who: Principal, survey: str, day: date | None = None) -> tuple[Survey, list[Progress]]:
        """A survey and how it goes (by the end of a day), unit by unit of those the caller reaches. Raises NotFound."""
        at = end_of(self._store.clock, day)
        with self._store.reading() as session:
            theirs = _reached(session, who)
            found = _one(session, who, survey, at)
            return found, [one for one in progress_of(session, survey, at) if one.unit in theirs]

    def issue_codes(self, who: Principal, survey: str, unit: str, count: int) -> list[str]:
        """One-time codes for people to answer about a unit; shown once, kept as digests. Raises NotFound."""
        codes = [new_code() for _ in range(min(count, MOST_CODES))]
        with self._store.work() as work:
            _one(work.session, who, survey)
            _check_unit(work.session, who, unit)
            now = work.clock.now()
            rows = [
                {"digest": _digest(code), "survey": survey, "unit": unit, "issued_at": now} for code in codes
            ]
            write_rows(work.session, SURVEY_CODES, rows)
            work.audit(who, "survey.codes_issued", f"surveys/{survey}", object_version=f"{unit}:{len(codes)}")
            work.commit()
        return codes

    def by_code(self, code: str) -> tuple[Survey, str]:
        """The survey and the unit's name that a code is for. Raises NotFound, Conflict when it was used."""
        with (
            self._store.reading() as session,
            beyond("whoever holds a code reads what it is for, and is nobody to us", session),
        ):
            issued = _issued(session, code)
            return _of_code(session, issued), _unit_name(session, issued.unit)

    def answer(self, code: str, answers: dict[str, str]) -> None:
        """Take the answers of whoever holds a code, once. Raises NotFound, Conflict, Invalid, RuleViolation."""
        try:
            with self._store.work() as work:
                with beyond("whoever holds a code answers once, and is nobody to us", work.session):
                    issued = _issued(work.session, code)
                    survey = _of_code(work.session, issued)
                    check_open(survey, local_date(work.clock.now()))
                    answer = Answer(issued.unit, marked(survey, answers))
                    _keep(work, survey, [answer], code=_digest(code))
                work.audit(ANONYMOUS, "survey.answered", f"surveys/{survey.id}")
                work.commit()
        except IntegrityError as error:  # two at once with the same code: the index lets one through
            raise _used() from error

    def take_file(self, who: Principal, survey: str, kept: Kept, *, confirm: bool) -> Taken:
        """Answers that a third party collected: all or none, and only after a dry run of the same file."""
        with self._store.work() as work:
            found = _one(work.session, who, survey)
            theirs = _reached(work.session, who)
            answers, faults = read_rows(found, rows_of(self._blobs.get(kept.digest), kept), theirs)
            spread = len({answer.unit for answer in answers})
            if faults or not confirm:
                return Taken(len(answers), spread, tuple(faults[:500]), kept.digest, taken=False)
            _note_batch(work, who, found, kept, len(answers))
            _keep(work, found, answers, batch=kept.digest)
            work.audit(who, "survey.answers_taken", f"surveys/{survey}", after_digest=kept.digest[-64:])
            work.commit()
        return Taken(len(answers), spread, (), kept.digest, taken=True)

    def file_of(self, who: Principal, survey: str, digest: str) -> tuple[str, str]:
        """Name and media type of a file of answers, all of units the caller reaches. Raises NotFound."""
        query = select(SURVEY_BATCHES.c.name, SURVEY_BATCHES.c.media_type).where(
            SURVEY_BATCHES.c.survey == survey, SURVEY_BATCHES.c.digest == digest
        )
        with (
            self._store.reading() as session,
            beyond("a file of answers is given out only if no other unit's answers are in it", session),
        ):
            row = session.execute(query).one_or_none() if is_id(survey) else None
            about = (
                select(SURVEY_ANSWERS.c.unit)
                .distinct()
                .where(SURVEY_ANSWERS.c.survey == survey, SURVEY_ANSWERS.c.batch == digest)
            )
            if row is None or not set(session.scalars(about)) <= _reached(session, who):
                raise NotFound("没有这份文件，请从列表中选择。", code="assessment.unknown_file")
        return row.name, row.media_type

    def count(self, who: Principal, survey: str, said: Replacing = SAID_NOTHING) -> int:
        """
        Make score facts of the answers there are about units the caller reaches; those counted before are corrected.

        `said`: what becomes of results that an upheld objection corrected meanwhile. Returns how many facts.
        Raises NotFound, CorrectionHeld, RuleViolation.
        """
        with self._store.work() as work:
            found = _one(work.session, who, survey)
            require_open(work.session, found.period)
            check_begun(found.period, local_date(work.clock.now()))
            framework = self._framework(found)
            # Of a version that came into force since, some results may be no more.
            asked = sums_of(work.session, found)
            sums = {place: sum_ for place, sum_ in asked.items() if framework.node(place[1]) is not None}
            # What another counts at the same moment is known only under the lock that its facts are numbered by.
            work.session.execute(select(LOG_HEAD.c.size).with_for_update())
            before = counted_before(work.session, survey)
            theirs = _reached(work.session, who)
            fresh = {
                place: sum_
                for place, sum_ in sums.items()
                if place[0] in theirs and before.get(place, ("", 0))[1] < sum_[1]
            }
            held = held_by(work.session, (before[place][0] for place in fresh if place in before))
            stands = {place: held[before[place][0]] for place in fresh if place in before}
            demand_said(work.session, who, stands, said)
            fresh = {place: sum_ for place, sum_ in fresh.items() if not said.keeps(stands.get(place))}
            evidence = evidence_of(work.session, found)
            now = work.clock.now()
            facts = [
                fact_of(found, framework, place, *sum_, evidence, stands.get(place), said, now)
                for place, sum_ in fresh.items()
            ]
            ids = append_own(work, facts)
            rows = [
                {
                    "event_id": id_,
                    "survey": survey,
                    "unit": unit,
                    "result": result,
                    "responses": n,
                    "counted_at": now,
                }
                for id_, ((unit, result), (_, n)) in zip(ids, fresh.items(), strict=True)
            ]
            write_rows(work.session, SURVEY_COUNTS, rows)
            work.audit(who, "survey.counted", f"surveys/{survey}", object_version=str(len(ids)))
            note_replaced(work, who, stands.values(), said)
            work.commit()
        return len(ids)

    def _framework(self, survey: Survey) -> Framework:
        framework = self._frameworks.in_force(int(survey.period))
        if framework.id != survey.framework:
            problem = Problem("framework", "framework", f"该年度施行的指标体系是 {framework.id}。")
            raise Invalid(problems=[problem], code="assessment.survey_invalid")
        return framework


def _note_batch(work: Work, who: Principal, survey: Survey, kept: Kept, answers: int) -> None:
    row = {
        "survey": survey.id,
        "digest": kept.digest,
        "name": kept.name,
        "media_type": kept.media_type,
        "answers": answers,
        "account": who.account,
        "taken_at": work.clock.now(),
    }
    written = select(func.count()).where(
        SURVEY_BATCHES.c.survey == survey.id, SURVEY_BATCHES.c.digest == kept.digest
    )
    with beyond("that a file was taken already is known only to who looks at all", work.session):
        known = work.session.execute(written).scalar_one()
    if known:
        raise Conflict("这份文件已经导入过，不再重复计入。", code="assessment.already_imported")
    work.session.execute(insert(SURVEY_BATCHES).values(**row))


def _keep(
    work: Work,
    survey: Survey,
    answers: Iterable[Answer],
    *,
    code: str | None = None,
    batch: str | None = None,
) -> None:
    now = work.clock.now()
    rows = [
        {
            "id": new_id(),
            "survey": survey.id,
            "unit": answer.unit,
            "code": code,
            "batch": batch,
            "marks": orjson.dumps(answer.marks).decode(),
            "answered_at": now,
        }
        for answer in answers
    ]
    write_rows(work.session, SURVEY_ANSWERS, rows)


def _one(session: Session, who: Principal, survey: str, at: datetime | None = None) -> Survey:
    """A survey the caller may know of. Raises NotFound."""
    known = seen_by(who, SURVEYS.c.scope), until(SURVEYS.c.created_at, at)
    wanted = select(SURVEYS).where(SURVEYS.c.id == survey, *known)
    row = session.execute(wanted).one_or_none() if is_id(survey) else None
    if row is None:
        raise NotFound("没有这次测评，请从列表中选择。", code="assessment.unknown_survey")
    return _survey(row)


def _of_code(session: Session, issued: Row[Any]) -> Survey:
    return _survey(session.execute(select(SURVEYS).where(SURVEYS.c.id == issued.survey)).one())


def _survey(row: Row[Any]) -> Survey:
    questions: Sequence[dict[str, Any]] = orjson.loads(row.questions)
    return Survey(
        id=str(row.id),
        framework=row.framework,
        period=row.period,
        title=row.title,
        way=row.way,
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        questions=tuple(
            Question(q["id"], q["text"], q["result"], tuple(Option(**option) for option in q["options"]))
            for q in questions
        ),
    )


def _issued(session: Session, code: str) -> Row[Any]:
    """A code that was issued and not used. Raises NotFound, Conflict."""
    digest = _digest(code)
    row = session.execute(select(SURVEY_CODES).where(SURVEY_CODES.c.digest == digest)).one_or_none()
    if row is None:
        raise NotFound("测评码不正确，请核对后重新输入。", code="assessment.unknown_code")
    used = select(func.count()).where(SURVEY_ANSWERS.c.code == digest)
    if session.execute(used).scalar_one():
        raise _used()
    return row


def _used() -> Conflict:
    return Conflict("这个测评码已经用过，每码只能作答一次。", code="assessment.code_used")


def _digest(code: str) -> str:
    written = "".join(code.upper().split()).replace("-", "")
    return hashlib.sha256(b"fazhi/survey-code/v1\n" + written.encode()).hexdigest()


def _reached(session: Session, who: Principal) -> set[str]:
    """The units in the caller's part of the tree."""
    return set(session.scalars(select(UNITS.table.c.code).where(within(who, UNITS.table.c.code))))


def _check_unit(session: Session, who: Principal, unit: str) -> None:
    if unit not in _reached(session, who):
        raise NotFound("没有这个单位，或不在您的管辖范围内，请核对单位代码。", code="assessment.unknown_unit")


def _unit_name(session: Session, unit: str) -> str:
    return (
        session.execute(select(UNITS.table.c.name).where(UNITS.table.c.code == unit)).scalar_one_or_none()
        or unit
    )
