"""What a log line may hold, whoever wrote it (R52)."""

import json
import logging
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kernel.telemetry.log import configure, logger
from kernel.telemetry.masking import masked

CANARIES = {
    "password": "canary-Xk29-password",
    "api_token": "canary-token-77",
    "applicant_phone": 13800138000,
    "url": "amqp://fazhi:canary-secret@127.0.0.1:5672/v",
    "header": "Bearer canary.bearer.1234567",
    "jwt": "eyJhbGciOiJFZDI1NTE5In0.eyJjYW5hcnkiOjF9.canarysig",
    "note": "当事人 11010519491231002X，电话 13912345678。",
    "number": 11010519491231002,
    "raw": b"canary-bytes",
    "row": "DataError('bad\\nDETAIL:  Key (name)=(canary) exists.\\nCONTEXT: line 1: canary')",
    "row_in_a_trace": "DataError: bad\nDETAIL:  Failing row contains (canary).\nHINT: none",
    "nested": {"session_cookie": "canary-cookie", "phones": ["13700137000"]},
    "thing": type("Case", (), {"__repr__": lambda self: "canary-object"})(),
}
FORBIDDEN = ("canary", "13800138000", "13912345678", "13700137000", "11010519491231002X")


@pytest.fixture
def lines(capsys):
    def written():
        return capsys.readouterr().err.splitlines()

    yield written
    logging.basicConfig(handlers=[], force=True)
    structlog.reset_defaults()
    sys.excepthook = sys.__excepthook__


def test_nothing_secret_comes_out_in_fields_messages_or_traces(lines):
    configure(level="INFO", process="toy")
    logger("toy").info("happened", **CANARIES)
    try:
        int(CANARIES["note"] + CANARIES["url"])
    except ValueError as error:
        logger("toy").error("failed", error=repr(error), exc_info=error)
    logging.getLogger("library").warning("connecting to %s", CANARIES["url"])
    written = lines()
    assert len(written) == 3
    for line in written:
        assert json.loads(line)["process"] == "toy"
        assert not any(word in line.replace("canarysig", "canary") for word in FORBIDDEN)


def test_ordinary_numbers_and_ids_stay(lines):
    configure(level="INFO", process="toy")
    logger("toy").info(
        "ok", count=12_345_678_901, case="019a3f10-0000-7000-8000-000000000001", digits="110105194912310021"
    )
    shown = json.loads(lines()[0])
    assert shown["count"] == 12_345_678_901
    assert shown["case"].startswith("019a3f10")
    assert shown["digits"] == "110105194912310021"  # no identity number: its check digit is wrong


@given(st.text(max_size=40))
def test_one_event_is_one_line_without_steering_characters(text):
    line = json.dumps(masked(text + "\r\n\x1b[31m\x9b31m\u2028\u202e"), ensure_ascii=False)
    assert len(line.splitlines()) == 1
    assert not set(line) & set("\x1b\x9b\u2028\u202e\r\n\x7f\x85")


def test_values_are_bounded(lines):
    configure(level="INFO", process="toy")
    logger("toy").info("big", text="文" * 100_000, many=list(range(1000)))
    assert len(lines()[0]) < 2000


def test_an_uncaught_error_is_a_line_too(lines):
    configure(level="INFO", process="toy")
    sys.excepthook(ValueError, ValueError("13912345678"), None)
    line = json.loads(lines()[0])
    assert line["event"] == "crashed"
    assert "13912345678" not in json.dumps(line)
