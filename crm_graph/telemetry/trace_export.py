"""Exporting traces: where to, and from when until when."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crm_graph.telemetry import tracing


@dataclass(frozen=True, slots=True)
class TraceExport:
    """Where spans are sent: to an OTLP endpoint (None: OpenTelemetry's default), or to stdout."""

    endpoint: str | None = None
    headers: str | None = field(default=None, repr=False)  # name=value, comma-separated; has the API key
    service_name: str | None = None
    is_console: bool = False


@contextmanager
def exporting(export: TraceExport | None) -> Iterator[None]:
    """Record and export spans until the block ends."""
    set_up(export)
    try:
        yield
    finally:
        tracing.shut_down()


def set_up(export: TraceExport | None) -> None:
    """Record and export spans from now on, until `tracing.shut_down`. Does nothing for None."""
    if export is None or tracing.is_on():
        return
    from crm_graph.telemetry import opentelemetry_sdk  # loaded only here: it costs memory and a third of a second

    tracing.start(
        opentelemetry_sdk.load(
            endpoint=export.endpoint,
            headers=export.headers,
            service_name=export.service_name,
            is_console=export.is_console,
        )
    )
