"""Logs: one line of JSON for each record, so that no field can forge another line or colour a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """Renders a record and its `details`; json escapes CR, LF, ESC and everything beyond ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "details", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

    def formatException(self, ei: Any) -> str:
        """A traceback without PostgreSQL's DETAIL, which quotes the row ("Failing row contains ...")."""
        text, error = super().formatException(ei), ei[1]
        while error is not None:
            detail = getattr(getattr(error, "diag", None), "message_detail", None)
            text = text.replace(detail, "(hidden)") if detail else text
            error = error.__cause__ or error.__context__
        return text


def configure(level: str) -> None:
    """Send every logger's lines to stderr; libraries that would print requests or queries are silenced."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Strawberry's logger prints query source, uvicorn's access log prints query strings, httpx prints URLs.
    for name in ("strawberry.execution", "uvicorn.access", "httpx"):
        logging.getLogger(name).disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("alembic").setLevel("WARNING")
