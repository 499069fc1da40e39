"""
Doors for tests that call use cases without HTTP: as at the edge, whoever asks has the rows of his reach and no others.

Elsewhere in tests what nobody said is everything (tests/conftest.py): they stand where workers and commands stand.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from typing import Any

from kernel.access.principal import SYSTEM, Principal
from kernel.storage.reach import of, within


class Door:
    """A use-case object; a call that begins with a principal is made in the reach of that principal."""

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __getattr__(self, name: str) -> Any:
        found = getattr(object.__getattribute__(self, "_inner"), name)
        return _asked(found) if callable(found) and not isinstance(found, type) else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_inner"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "_inner"), name)


def behind_doors(app: Any) -> Any:
    """A service's app with a door before each of its use cases."""
    doors = {
        field.name: Door(getattr(app, field.name))
        for field in fields(app)
        if type(getattr(app, field.name)).__module__.startswith(("services.", "gateway."))
    }
    return replace(app, **doors)


def _asked(act: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(act)
    def ask(*given: Any, **more: Any) -> Any:
        who = given[0] if given else more.get("who")
        if not isinstance(who, Principal) or who is SYSTEM:
            return act(*given, **more)
        with within(of(who)):
            return act(*given, **more)

    return ask
