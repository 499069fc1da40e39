"""
Surveys on paper: what a survey must be, how an answer becomes marks, how a file of answers is read.

Marks are thousandths, 0 to 1000. A question measures one result of the framework; several questions may measure
the same. An answer must say something to every question, so that no question is answered only by the satisfied.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kernel.errors import Invalid, Problem, RuleViolation
from services.assessment.framework.values import Framework, Node

Way = Literal["telephone", "on_site", "web", "questionnaire"]
WAYS: Mapping[Way, str] = {
    "telephone": "电话测评",
    "on_site": "现场测评",
    "web": "网络测评",
    "questionnaire": "问卷调查",
}
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read for something else
CODE_LENGTH = 12  # 59 bits
MOST_QUESTIONS = 40
UNIT_COLUMN = "单位代码"


@dataclass(frozen=True, slots=True)
class Option:
    """One way to answer, and what it is worth in thousandths."""

    text: str
    marks: int


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the result it measures."""

    id: str
    text: str
    result: str
    options: tuple[Option, ...]

    def marks_of(self, answer: str) -> int | None:
        """What this answer is worth; None when it is none of the options."""
        return next((option.marks for option in self.options if option.text == answer), None)


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as it was set up."""

    id: str
    framework: str
    period: str
    title: str
    way: Way
    opens_on: date
    closes_on: date
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why nothing of a file is taken; `row` as the file counts, 0 is the whole file."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said of one unit: question -> marks."""

    unit: str
    marks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many codes went out and how many answers came, of one unit."""

    unit: str
    name: str
    codes: int
    answers: int
    counted: int


def check_survey(survey: Survey, framework: Framework) -> None:
    """Raise Invalid with everything that is wrong with a survey."""
    problems = list(_faults(survey, framework))
    if problems:
        raise Invalid(problems=problems, code="assessment.survey_invalid")


def _faults(survey: Survey, framework: Framework) -> Iterator[Problem]:
    if survey.closes_on < survey.opens_on:
        yield Problem("closes_on", "dates", "截止日期不能早于开始日期。")
    if survey.closes_on.year < int(survey.period):
        yield Problem(
            "closes_on", "period", f"测评应在 {survey.period} 年度之内或之后截止，否则计入上一年度。"
        )
    if not 1 <= len(survey.questions) <= MOST_QUESTIONS:
        yield Problem("questions", "questions", f"应有 1 至 {MOST_QUESTIONS} 道题。")
    measured = {node.code for node in framework.results() if is_measured(node)}
    seen: set[str] = set()
    for index, question in enumerate(survey.questions):
        path = f"questions[{index}]"
        if question.id in seen:
            yield Problem(f"{path}.id", "duplicate_code", "题号重复。")
        seen.add(question.id)
        if question.result not in measured:
            yield Problem(
                f"{path}.result", "unknown_result", "该指标不是按测评均值法计分的成果，请从指标体系中选择。"
            )
        marks = [option.marks for option in question.options]
        if len(marks) < 2 or len({option.text for option in question.options}) != len(marks):
            yield Problem(f"{path}.options", "options", "每题至少两个互不相同的选项。")
        elif max(marks) != 1000 or min(marks) != 0:
            yield Problem(f"{path}.options", "marks", "最好的选项应为 1000（满分），最差的应为 0。")


def is_measured(node: Node) -> bool:
    """Whether a result is measured by asking people."""
    return node.method is not None and node.method.kind == "survey" and not node.probes


def new_code() -> str:
    """A one-time code that cannot be guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def check_open(survey: Survey, today: date) -> None:
    """Raise RuleViolation outside the days of a survey."""
    if not survey.opens_on <= today <= survey.closes_on:
        raise RuleViolation(
            f"本次测评的时间是 {survey.opens_on} 至 {survey.closes_on}，现在不能作答。",
            code="assessment.survey_closed",
        )


def marked(survey: Survey, answers: Mapping[str, str]) -> dict[str, int]:
    """Question -> marks of one person's answers. Raises Invalid."""
    problems = []
    found: dict[str, int] = {}
    for question in survey.questions:
        marks = question.marks_of(answers.get(question.id, ""))
        if marks is None:
            problems.append(Problem(f"answers.{question.id}", "answer", "请选择一个选项。"))
        else:
            found[question.id] = marks
    if problems or answers.keys() - found.keys():
        raise Invalid("请回答每一道题后再提交。", problems=problems, code="assessment.answers_incomplete")
    return found


def read_rows(
    survey: Survey, rows: Sequence[tuple[int, Sequence[str]]], units: set[str]
) -> tuple[list[Answer], list[Fault]]:
    """The answers of a file, header first, and its faults; nothing is taken from a file that has one."""
    if not rows:
        return [], [Fault(0, "", "empty", "文件中没有内容。")]
    header = [cell.strip() for cell in rows[0][1]]
    wanted = [UNIT_COLUMN, *(question.id for question in survey.questions)]
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        return [], [Fault(rows[0][0], name, "no_column", f"缺少或重复的列“{name}”。") for name in missing]
    places = {name: header.index(name) for name in wanted}
    answers: list[Answer] = []
    faults: list[Fault] = []
    for number, cells in rows[1:]:
        values = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
        if not any(values.values()):
            continue
        before = len(faults)
        if values[UNIT_COLUMN] not in units:
            faults.append(
                Fault(number, UNIT_COLUMN, "unknown_unit", f"单位目录中没有 {values[UNIT_COLUMN][:50]}。")
            )
        marks = {question.id: question.marks_of(values[question.id]) for question in survey.questions}
        for name, mark in marks.items():
            if mark is None:
                faults.append(Fault(number, name, "answer", f"“{values[name][:50]}”不是本题的选项。"))
        if len(faults) == before:
            answers.append(
                Answer(values[UNIT_COLUMN], {name: mark for name, mark in marks.items() if mark is not None})
            )
    if not answers and not faults:
        faults.append(Fault(0, "", "empty", "文件中没有答卷。"))
    return answers, faults
