"""
Logs: JSON lines with a constant event name and fields; identifiers, not objects (R52).

Values are bounded and masked (masking.py), control characters escaped, so that one event is one line whatever
is in it. Lines of libraries come through the same door; exceptions keep the end of their trace.
"""

import logging
import sys
from contextvars import ContextVar
from typing import Any

import structlog

from kernel.telemetry.masking import masked, shown

MAX_TRACE_CHARACTERS = 8000

trace_id: ContextVar[str] = ContextVar("trace_id", default="")


def logger(name: str) -> Any:
    """A logger for a module; `log.warning("relay_delayed", oldest_seconds=340)`."""
    return structlog.get_logger(module=name)


def configure(*, level: str = "INFO", process: str = "") -> None:
    """Set up logging of this process: JSON lines on standard error, libraries from WARNING on."""
    first: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _context(process),
        structlog.processors.format_exc_info,
        _bounded,
    ]
    last = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*first, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    threshold = max(logging.WARNING, logging.getLevelNamesMapping()[level])
    logging.basicConfig(handlers=[libraries], level=threshold, force=True)
    sys.excepthook = _crashed


def _crashed(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, Exception):
        logger(__name__).critical("crashed", exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


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
        if key.startswith("_"):
            continue  # the formatter's own, taken off before the line is written
        event[key] = masked(str(value))[-MAX_TRACE_CHARACTERS:] if key == "exception" else shown(key, value)
    return event
