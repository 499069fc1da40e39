"""
Unit tests have no network: opening an internet socket fails the test.

An audit hook is used rather than a replaced `socket.socket`, because it also holds for modules that took
the class before. Sockets between processes of one machine (AF_UNIX) stay open; event loops need them.
"""

import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

_closed = False


def _refuse_internet(event: str, arguments: tuple[Any, ...]) -> None:
    if _closed and event == "socket.__new__" and arguments[1] in {socket.AF_INET, socket.AF_INET6}:
        pytest.fail("单元测试不得联网 / a unit test opened an internet socket; it belongs into integration")


sys.addaudithook(_refuse_internet)


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    global _closed  # noqa: PLW0603 - an audit hook cannot be taken out again, only told to stand aside
    _closed = True
    yield
    _closed = False
