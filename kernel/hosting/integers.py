"""
Whole numbers of an address: ASCII digits and nothing else, and no more of them than a database holds (R40).

The framework reads query and path texts leniently and takes `1_0`, ` 10 ` and `+5` for numbers. What is not written
plainly is refused here once for every route of every service, before the framework converts it.
"""

import re
from collections.abc import Iterator
from typing import get_args

from fastapi import Request
from fastapi.dependencies.models import Dependant

from kernel.errors import Invalid, Problem
from kernel.hosting.edge import WHOLE_NUMBERS
from kernel.hosting.validation import SENTENCES

_PLAIN = re.compile(r"-?[0-9]{1,100}\Z")


async def plain_integers(request: Request) -> None:
    """Raise Invalid for every integer that is not written in ASCII digits, or that no database holds."""
    route = request.scope.get("route")
    dependant = getattr(route, "dependant", None)
    problems = [
        Problem(f"{place}.{name}", f"platform.{fault}", SENTENCES[fault])
        for place, name in (_integers(dependant) if dependant is not None else ())
        for text in _texts(request, place, name)
        if (fault := _fault(text))
    ]
    if problems:
        raise Invalid(problems=problems)


def _fault(text: str) -> str:
    if not _PLAIN.match(text):
        return "int_parsing"
    return "" if int(text) in WHOLE_NUMBERS else "number_out_of_range"


def _integers(dependant: Dependant) -> Iterator[tuple[str, str]]:
    """Place (query, path) and name of the integers that an endpoint and what it depends on take."""
    for place, fields in (("query", dependant.query_params), ("path", dependant.path_params)):
        for field in fields:
            kind = field.field_info.annotation
            if int in (kind, *get_args(kind)):
                yield place, field.alias
    for below in dependant.dependencies:
        yield from _integers(below)


def _texts(request: Request, place: str, name: str) -> list[str]:
    if place == "query":
        return request.query_params.getlist(name)
    return [str(request.path_params[name])] if name in request.path_params else []
