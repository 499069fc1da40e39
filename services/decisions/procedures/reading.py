"""
Reading 读入: a step from JSON and back, strictly.

The step classes are plain values of the rules; Pydantic is used here, at the door, to check what comes in
against them: unknown fields, wrong types and unknown codes are refused with the place of each.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from kernel.errors import Invalid, Problem
from services.decisions.procedures.rules.procedure import AnyStep
from services.decisions.procedures.rules.steps import Started

_STEP: TypeAdapter[AnyStep] = TypeAdapter(Annotated[AnyStep, Field(discriminator="kind")])

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MAX_CODE = 100

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


def read_step(body: Any, path: str = "step") -> AnyStep:
    """A step out of decoded JSON; raises Invalid naming each faulty place."""
    try:
        step = _STEP.validate_json(orjson.dumps(body))
    except ValidationError as error:
        raise Invalid(code="decisions.bad_step", problems=problems_of(error, path)) from error
    problems = list(_beyond_types(step, path))
    if problems:
        raise Invalid(code="decisions.bad_step", problems=problems)
    return step


def _beyond_types(step: AnyStep, path: str) -> Iterator[Problem]:
    """What the types do not say: the form of digests, and unit codes that fit their columns."""
    for place, document in enumerate(step.documents):
        if document.digest and not _DIGEST.fullmatch(document.digest):
            message = "材料摘要应为 sha256: 加六十四位小写十六进制，请重新上传材料。"
            yield Problem(f"{path}.documents.{place}.digest", "decisions.bad_digest", message)
    units = (step.reviewer, *(unit.unit for unit in step.undertakers)) if isinstance(step, Started) else ()
    if any(not 0 < len(unit) <= MAX_CODE for unit in units):
        yield Problem(
            f"{path}.undertakers", "decisions.bad_unit", f"单位代码应为1至{MAX_CODE}个字符，请核对。"
        )


def load_step(stored: str) -> AnyStep:
    """A step as it was stored."""
    return _STEP.validate_json(stored)


def step_json(step: AnyStep) -> str:
    """A step as it is stored; empty and unrecorded fields are left out, so its digest is stable."""
    return _STEP.dump_json(step, exclude_defaults=True).decode()


def digest_of(stored: str) -> str:
    """Digest of a stored step, kept beside it and in the audit record."""
    return "sha256:" + hashlib.sha256(b"decisions/step/v1\n" + stored.encode()).hexdigest()


def problems_of(error: ValidationError, path: str) -> list[Problem]:
    """Pydantic's findings as problems, without echoing what was sent."""
    return [
        Problem(
            ".".join([path, *(str(part) for part in found["loc"])]),
            f"decisions.{found['type']}",
            _MESSAGES.get(found["type"], "内容不符合要求，请核对后重新填写。"),
        )
        for found in error.errors(include_input=False, include_url=False)[:100]
    ]
