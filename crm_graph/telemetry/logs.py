"""Logs: one line for each record, as JSON or as text. No value can forge a line or send codes to a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TypeAlias

from crm_graph.telemetry import tracing

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class JsonLines(logging.Formatter):
    """Formats a record and its `details` as JSON, which escapes CR, LF, ESC and everything beyond ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _context() | getattr(record, "details", {})
        if record.exc_info:
            line["exception"] = _traceback(self, record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """Formats a record as text for people; unprintable characters are escaped.

    The lines of a traceback are indented, so that none of them looks like a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, followed by those of its traceback."""
        details = _context() | getattr(record, "details", {})
        parts = (
            datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds"),
            f"{record.levelname:7}",
            f"{record.name}:",
            record.getMessage(),
            *(f"{name}={_quoted(value)}" for name, value in details.items()),
        )
        trace = _traceback(self, record.exc_info).splitlines() if record.exc_info else []
        return "\n    ".join(map(_escaped, (" ".join(parts), *trace)))


def _traceback(formatter: logging.Formatter, exc_info: ExcInfo) -> str:
    """A traceback without PostgreSQL's DETAIL, which quotes the row ("Failing row contains ...")."""
    text, error = formatter.formatException(exc_info), exc_info[1]
    while error is not None:
        detail = getattr(getattr(error, "diag", None), "message_detail", None)
        text = text.replace(detail, "(hidden)") if detail else text
        error = error.__cause__ or error.__context__
    return text


def _context() -> dict[str, str]:
    """The ids of the current request and trace."""
    ids = {"request_id": tracing.request_id.get(), "trace_id": tracing.current_trace_id()}
    return {name: value for name, value in ids.items() if value is not None}


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or "=" in text else text


def _escaped(text: str) -> str:
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def configure(level: str, form: Literal["json", "text"] = "json") -> None:
    """Send all log lines to stderr and silence libraries that would log requests or queries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Strawberry's logger prints query source, uvicorn's access log prints query strings, httpx prints URLs.
    for name in ("strawberry.execution", "uvicorn.access", "httpx"):
        logging.getLogger(name).disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("alembic", "procrastinate"):  # they log a line for each job, and one runs every few seconds
        logging.getLogger(name).setLevel("WARNING")
