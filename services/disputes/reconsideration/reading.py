"""
Reading 读入: a step from JSON and back, strictly; the codes in it are checked against the catalog.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from kernel.errors import Invalid, Problem
from services.disputes.reconsideration.codes import Codes
from services.disputes.reconsideration.rules import steps as s
from services.disputes.reconsideration.rules.case import AnyStep

_STEP: TypeAdapter[AnyStep] = TypeAdapter(Annotated[AnyStep, Field(discriminator="kind")])

_MESSAGES = {
    "missing": "缺少这一项，请补充。",
    "extra_forbidden": "不认识的字段，请删去或核对名称。",
    "unexpected_keyword_argument": "不认识的字段，请删去或核对名称。",
    "literal_error": "不在代码表中，请按代码表填写。",
    "union_tag_invalid": "不认识的步骤，请按步骤代码表填写。",
    "union_tag_not_found": "缺少步骤代码 kind，请补充。",
    "date_from_datetime_parsing": "日期格式应为 年-月-日，如 2026-03-01。",
    "date_parsing": "日期格式应为 年-月-日，如 2026-03-01。",
    "date_type": "日期格式应为 年-月-日，如 2026-03-01。",
}


def read_step(body: Any, codes: Codes, path: str = "step") -> AnyStep:
    """A step out of decoded JSON; raises Invalid naming each faulty place."""
    try:
        step = _STEP.validate_json(orjson.dumps(body))
    except ValidationError as error:
        raise Invalid(code="disputes.bad_step", problems=problems_of(error, path)) from error
    problems = list(unknown_codes(step, codes, path))
    if problems:
        raise Invalid(code="disputes.bad_step", problems=problems)
    return step


def unknown_codes(step: AnyStep, codes: Codes, path: str) -> Iterator[Problem]:
    """Codes of a step that the catalog does not know."""
    if isinstance(step, s.Decided):
        if step.outcome not in codes.outcomes:
            yield _unknown(f"{path}.outcome", "复议结果")
        for code in step.also:
            if code not in codes.outcomes:
                yield _unknown(f"{path}.also", "复议结果")
        for ground in step.grounds:
            if ground not in codes.grounds:
                yield _unknown(f"{path}.grounds", "理由")
    elif isinstance(step, s.Suspended) and step.reason not in codes.suspensions:
        yield _unknown(f"{path}.reason", "中止原因")


def load_step(stored: str) -> AnyStep:
    """A step as it was stored."""
    return _STEP.validate_json(stored)


def step_json(step: AnyStep) -> str:
    """A step as it is stored; unrecorded fields are left out, so its digest is stable."""
    return _STEP.dump_json(step, exclude_defaults=True).decode()


def digest_of(stored: str) -> str:
    """Digest of a stored step, kept beside it and in the audit record."""
    return "sha256:" + hashlib.sha256(b"disputes/step/v1\n" + stored.encode()).hexdigest()


def problems_of(error: ValidationError, path: str) -> list[Problem]:
    """Pydantic's findings as problems, without echoing what was sent."""
    return [
        Problem(
            ".".join([path, *(str(part) for part in found["loc"])]),
            f"disputes.{found['type']}",
            _MESSAGES.get(found["type"], "内容不符合要求，请核对后重新填写。"),
        )
        for found in error.errors(include_input=False, include_url=False)[:100]
    ]


def _unknown(path: str, title: str) -> Problem:
    return Problem(path, "disputes.unknown_code", f"{title}代码不在代码表中，请按代码表填写。")
