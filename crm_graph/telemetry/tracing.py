"""What work belongs to: the request, for the log, and the trace, which OpenTelemetry exports when it is set up.

OpenTelemetry is imported by `set_up` and not before: without an exporter it costs nothing, and no thread runs.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "crm-graph"
FLUSH_SECONDS = 1.0  # at the end; nobody waits longer for a collector that is gone

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """Where spans go: to an OTLP endpoint (None: where OpenTelemetry says), or to stdout."""

    endpoint: str | None = None
    headers: str | None = field(default=None, repr=False)  # name=value, comma-separated; a collector's key
    service_name: str | None = None
    is_console: bool = False


class Span(Protocol):
    """What can be added to a span while it lasts."""

    def set_attribute(self, key: str, value: Any) -> None:
        """A fact; never somebody's data."""

    def update_name(self, name: str) -> None:
        """A better name."""


class _NoSpan:
    def set_attribute(self, key: str, value: Any) -> None: ...

    def update_name(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Tracing:
    """OpenTelemetry, once it is imported."""

    provider: "TracerProvider"
    tracer: Any
    api: Any
    propagator: Any


_NO_SPAN = _NoSpan()
_tracing: _Tracing | None = None


def is_on() -> bool:
    """Whether spans are made."""
    return _tracing is not None


@contextmanager
def span(
    name: str,
    traceparent: str | None = None,
    *,
    kind: Literal["internal", "server", "client"] = "internal",
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[Span]:
    """A span around the block: a child of `traceparent` (W3C Trace Context), else of the span around it.

    An exception leaves the name of its type and no more: messages quote people's data.
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
    ) as made:
        try:
            yield made
        except BaseException as error:
            mark_failed(type(error).__name__)
            raise


@contextmanager
def inner_span(name: str) -> Iterator[Span]:
    """A span around the block if there is one around it already: what isn't done for anybody is no trace of its own."""
    if _context() is None:
        yield _NO_SPAN
        return
    with span(name) as made:
        yield made


def mark_failed(kind: str) -> None:
    """Say of the span that this is done in that it failed, and how; never with a message, which may quote data."""
    if _tracing is not None:
        current = _tracing.api.get_current_span()
        current.set_attribute("error.type", kind)
        current.set_status(_tracing.api.StatusCode.ERROR)


def current_traceparent() -> str | None:
    """The span that this is done in, as the header `traceparent`; None without one."""
    context = _context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context else None


def current_trace_id() -> str | None:
    """The trace that this is done in, as the log names it; None without one."""
    context = _context()
    return f"{context.trace_id:032x}" if context else None


def _context() -> Any | None:
    if _tracing is None:
        return None
    context = _tracing.api.get_current_span().get_span_context()
    return context if context.is_valid else None


@contextmanager
def exporting(target: Target | None) -> Iterator[None]:
    """Trace until the block ends."""
    set_up(target)
    try:
        yield
    finally:
        shut_down()


def set_up(target: Target | None) -> None:
    """Make spans from now on and export them, until the process ends or `shut_down`; with None, don't."""
    global _tracing
    if target is None or _tracing is not None:
        return
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    provider = TracerProvider(resource=_resource(target), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_exporter(target)))
    _tracing = _Tracing(provider, provider.get_tracer("crm_graph"), trace, TraceContextTextMapPropagator())


def shut_down() -> None:
    """Export what is left, and make no more spans."""
    global _tracing
    if _tracing is not None:
        ended, _tracing = _tracing, None
        # By a thread, because OpenTelemetry waits for the collector as long as for any export: ten seconds.
        flush = threading.Thread(target=ended.provider.shutdown, name="last-spans", daemon=True)
        flush.start()
        flush.join(FLUSH_SECONDS)


def _resource(target: Target) -> "Resource":
    """Who made the spans: OTEL_SERVICE_NAME, else OTEL_RESOURCE_ATTRIBUTES, else our own name."""
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource

    named = target.service_name or OTELResourceDetector().detect().attributes.get(SERVICE_NAME) or SERVICE
    return Resource.create({SERVICE_NAME: named})


def _exporter(target: Target) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter
    from opentelemetry.util.re import parse_env_headers

    if target.is_console:
        return ConsoleSpanExporter()
    headers = parse_env_headers(target.headers, liberal=True) if target.headers else None
    return OTLPSpanExporter(endpoint=target.endpoint, headers=headers)
