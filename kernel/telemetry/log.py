"""
Logs: JSON lines with a constant event name and fields; identifiers, not objects (R52).

Values are cut at 500 characters and control characters are escaped by the JSON encoder. Bodies, tokens and
personal data never go in: callers pass ids.
"""

import logging
import sys
from contextvars import ContextVar
from typing import Any

import structlog

MAX_VALUE_CHARACTERS = 500

trace_id: ContextVar[str] = ContextVar("trace_id", default="")


def logger(name: str) -> Any:
    """A logger for a module; `log.warning("relay_delayed", oldest_seconds=340)`."""
    return structlog.get_logger(module=name)


def configure(*, level: str = "INFO", process: str = "") -> None:
    """Set up logging of this process: JSON lines on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _context(process),
            structlog.processors.format_exc_info,
            _bounded,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _context(process: str) -> Any:
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        if process:
            event["process"] = process
        if trace := trace_id.get():
            event["trace"] = trace
        return event

    return add


def _bounded(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and len(value) > MAX_VALUE_CHARACTERS and key != "exception":
            event[key] = value[:MAX_VALUE_CHARACTERS] + "…"
    return event
