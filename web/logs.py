"""What the server writes down: one JSON object a line, without tokens, names or addresses."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO

import orjson

ACCESS = logging.getLogger("sigap.access")
FAILURES = logging.getLogger("sigap.failures")
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request at hand: it stands in every line that is logged for it, in threads too."""


class JsonLines(logging.Formatter):
    """One record as one line of JSON; `fields` of the record stand beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "message": record.getMessage(),
            **({"request_id": REQUEST_ID.get()} if REQUEST_ID.get() else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure(*, level: int = logging.INFO, stream: IO[str] | None = None) -> None:
    """Send Sigap's and the server's own logs to `stream` (default: standard error).

    The server's access log stays off: its lines hold query strings, and those hold tokens.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("sigap", "dispatch", "realtime", "geo", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False
