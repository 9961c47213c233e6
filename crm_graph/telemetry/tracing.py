"""Traces, which OpenTelemetry exports when it is set up, and the id of the current request, for the log.

Until `start` is called, spans cost nothing.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Attribute: TypeAlias = str | bool | int | float

FLUSH_SECONDS = 1.0  # for the last export, so that an unreachable collector does not delay the end

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class Span(Protocol):
    """What callers do with a span before it ends."""

    def set_attribute(self, key: str, value: Attribute) -> None:
        """Add an attribute; never personal data."""

    def update_name(self, name: str) -> None:
        """Replace the name."""


class _NoSpan:
    def set_attribute(self, key: str, value: Attribute) -> None: ...

    def update_name(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class OpenTelemetry:
    """The parts of OpenTelemetry that spans are made with, once its SDK is loaded."""

    provider: "TracerProvider"
    tracer: "Tracer"
    api: ModuleType  # opentelemetry.trace
    propagator: "TraceContextTextMapPropagator"


_NO_SPAN = _NoSpan()
_tracing: OpenTelemetry | None = None


def is_on() -> bool:
    """Whether spans are recorded."""
    return _tracing is not None


@contextmanager
def span(
    name: str,
    traceparent: str | None = None,
    *,
    kind: Literal["internal", "server", "client"] = "internal",
    attributes: Mapping[str, Attribute] | None = None,
) -> Iterator[Span]:
    """Record the block as a span: a child of `traceparent` (W3C Trace Context), else of the current span.

    Of an exception only the type's name is recorded: messages can quote personal data.
    """
    if _tracing is None:
        yield _NO_SPAN
        return
    parent = _tracing.propagator.extract({"traceparent": traceparent}) if traceparent else None
    with _tracing.tracer.start_as_current_span(
        name,
        context=parent,
        kind=getattr(_tracing.api.SpanKind, kind.upper()),
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            mark_failed(type(error).__name__)
            raise


@contextmanager
def inner_span(name: str) -> Iterator[Span]:
    """Record the block as a span if there is a current one: background work starts no trace of its own."""
    if _context() is None:
        yield _NO_SPAN
        return
    with span(name) as current:
        yield current


def mark_failed(kind: str) -> None:
    """Mark the current span as failed, with an `error.type`; never with a message, which may quote personal data."""
    if _tracing is not None:
        current = _tracing.api.get_current_span()
        current.set_attribute("error.type", kind)
        current.set_status(_tracing.api.StatusCode.ERROR)


def current_traceparent() -> str | None:
    """The current span as a `traceparent` header; None without one."""
    context = _context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context else None


def current_trace_id() -> str | None:
    """The id of the current trace, as the log shows it; None without one."""
    context = _context()
    return f"{context.trace_id:032x}" if context else None


def _context() -> "SpanContext | None":
    if _tracing is None:
        return None
    context: SpanContext = _tracing.api.get_current_span().get_span_context()
    return context if context.is_valid else None


def start(sdk: OpenTelemetry) -> None:
    """Record spans from now on, until `shut_down`."""
    global _tracing
    _tracing = sdk


def shut_down() -> None:
    """Export the remaining spans and stop recording."""
    global _tracing
    if _tracing is not None:
        ended, _tracing = _tracing, None
        # In a thread, because OpenTelemetry waits up to 10 s for the collector.
        flush = threading.Thread(target=ended.provider.shutdown, name="last-spans", daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)
