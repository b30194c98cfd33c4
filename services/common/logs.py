"""Logs as one JSON object a line, carrying the job and the request they belong to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_BOUND: ContextVar[Mapping[str, str]] = ContextVar("facekit_log_fields", default=_NOTHING)

# Fields that `extra=` or `bound` may add; anything else in a record belongs to the logging machinery.
FIELDS: Final = ("job_id", "request_id", "stage", "owner", "method", "path", "status", "duration_ms", "client", "code")

_CHATTY: Final = (
    "alembic.runtime.plugins",
    "amqp",
    "celery",
    "kombu",
    "urllib3",
    "multipart",
    "python_multipart",
    "PIL",
)


class JsonFormatter(logging.Formatter):
    """`time` (UTC, ISO 8601), `level`, `service`, `logger`, `message`, then the fields that are set, then `error`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_BOUND.get(),
        }
        line.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Every line logged inside, also from awaited code, carries these fields: `with bound(job_id=job.id): ...`"""
    token = _BOUND.set({**_BOUND.get(), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


def configure_logs(service: str, level: str = "INFO") -> None:
    """Sends all logging of this process to standard error as JSON lines. Called once, by an entry point."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the gateway writes its own line for each request
    logging.captureWarnings(True)
