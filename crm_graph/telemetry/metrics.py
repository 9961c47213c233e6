"""Metrics: what one application counts, for Prometheus. Label values come from closed sets only."""

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OK = "ok"


class Metrics:
    """Counters in a registry of their own, so that a process can have several applications.

    The child of each set of labels is looked up once; after that, counting is an addition.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        def counter(name: str, help_: str, *labels: str) -> Counter:
            return Counter(f"crm_graph_{name}", help_, labels, registry=self.registry)

        def seconds(name: str, help_: str, *labels: str) -> Histogram:
            return Histogram(f"crm_graph_{name}_seconds", help_, labels, buckets=SECONDS, registry=self.registry)

        self._requests = cache(counter("http_requests", "Answered HTTP requests.", "method", "route", "status").labels)
        self._request_seconds = cache(seconds("http_request", "Time until the response begins.", "route").labels)
        self._ingest = cache(counter("ingest", "Webhooks received, by result.", "source", "status").labels)
        self._ingest_seconds = cache(seconds("ingest", "Time to receive a webhook and apply it.", "source").labels)
        self._graphql = cache(
            counter(
                "graphql_operations", "GraphQL operations, by ok or the code of their first error.", "kind", "outcome"
            ).labels
        )
        self._graphql_seconds = cache(seconds("graphql_operation", "Time to run a GraphQL operation.", "kind").labels)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request. `route` is the template, never the path; `seconds` end when the response begins."""
        self._requests(method if method in METHODS else "other", route, str(status)).inc()
        self._request_seconds(route).observe(seconds)

    def ingest(self, source: str, status: str, seconds: float) -> None:
        """Count a provider's webhook. `status` is the inbox's result, or the code of the error."""
        self._ingest(source, status.lower()).inc()
        self._ingest_seconds(source).observe(seconds)

    def graphql(self, kind: str, outcome: str, seconds: float | None = None) -> None:
        """Count an operation. `kind` is query, mutation, subscription, or unknown if the document could not be parsed.

        `outcome` is OK or the code of the first error. A subscription, which stays open, has no `seconds`.
        """
        self._graphql(kind, outcome.lower()).inc()
        if seconds is not None:
            self._graphql_seconds(kind).observe(seconds)


def gauge(name: str, help_: str, values: float | Mapping[str, float], label: str | None = None) -> Metric:
    """One value, or one for each value of a label."""
    family = GaugeMetricFamily(f"crm_graph_{name}", help_, labels=[label] if label else [])
    if isinstance(values, Mapping):
        for key, value in values.items():
            family.add_metric([key], float(value))
    else:
        family.add_metric([], float(values))
    return family
