"""Logs as events with fields, one JSON object a line; what must not be kept is masked before it is written."""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_NAMES = re.compile(
    r"(authorization|cookie|token|secret|password|passwd|api[-_]?key|verification)", re.IGNORECASE
)
SECRET_VALUES = re.compile(
    r"\b(?:hub_|lin_api_|lin_oauth_|secret_|ntn_)[A-Za-z0-9_\-]{6,}|\bBearer\s+[A-Za-z0-9._\-]{6,}"
    r"|(?<=/hooks/)[A-Za-z0-9_/%\-]+"  # the address of a webhook is half of its secret
    r"|(?:(?<=/welcome/)|(?<=/reset/key/))[A-Za-z0-9_%\-]+",  # whoever has one of these links is let in
    re.IGNORECASE,
)
EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}")
MASK = "…"


def masked(value: Any) -> Any:
    """Return `value` without credentials and e-mail addresses, at any depth; line ends can't start a new entry."""
    if isinstance(value, str):
        value = EMAIL.sub(MASK, SECRET_VALUES.sub(MASK, value))
        return value.replace("\r", "\\r")
    if isinstance(value, dict):
        return {key: MASK if SECRET_NAMES.search(str(key)) else masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value


def mask_event(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Mask every field of an entry, its traceback included."""
    return dict(masked(dict(event)))


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    mask_event,
]


def configured(*, is_readable: bool, level: str, stream: TextIO | None = None) -> dict[str, Any]:
    """Return Django's LOGGING: entries of ours and of libraries alike, JSON, or lines for a person's eyes.

    They go to `stream`, standard output by default.
    """
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=False) if is_readable else structlog.processors.JSONRenderer(default=str)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            }
        },
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": stream or sys.stdout, "formatter": "events"}
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "httpx2": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
        },
    }
