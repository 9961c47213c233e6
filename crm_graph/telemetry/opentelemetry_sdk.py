"""OpenTelemetry's SDK, set up to export spans. Only `trace_export.set_up` imports this module."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers

from crm_graph.telemetry.tracing import OpenTelemetry

SERVICE = "crm-graph"


def load(*, endpoint: str | None, headers: str | None, service_name: str | None, is_console: bool) -> OpenTelemetry:
    """Start a thread that exports spans until `provider.shutdown()`. The arguments are TraceExport's fields.

    The service's name comes from OTEL_SERVICE_NAME, else OTEL_RESOURCE_ATTRIBUTES, else it is SERVICE.
    """
    name = service_name or OTELResourceDetector().detect().attributes.get(SERVICE_NAME) or SERVICE
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}), shutdown_on_exit=False)
    exporter = ConsoleSpanExporter() if is_console else _otlp(endpoint, headers)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetry(provider, provider.get_tracer("crm_graph"), trace, TraceContextTextMapPropagator())


def _otlp(endpoint: str | None, headers: str | None) -> SpanExporter:
    parsed = parse_env_headers(headers, liberal=True) if headers else None
    return OTLPSpanExporter(endpoint=endpoint, headers=parsed)
