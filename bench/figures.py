"""What one measurement found, and what the rounds of a run add up to."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Requests per second; latencies in milliseconds; `size` is an answer's mean in bytes; `sent` counts the warm-up,
    too."""

    requests: int
    per_second: float
    p50: float
    p95: float
    size: float
    sent: int
    errors: int = 0
    first_error: str = ""


class ContestantFailed(Exception):
    """A contestant could not be started, or answered wrongly; the message is the line that results show."""


def of_latencies(latencies: Sequence[float], seconds: float, size: float, sent: int) -> Figure:
    """A figure of latencies in milliseconds that fill `seconds`."""
    p50, p95 = percentiles(latencies)
    return Figure(len(latencies), len(latencies) / seconds, p50, p95, size, sent)


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p95."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (0.0, 0.0)
    return statistics.median(values), statistics.quantiles(values, n=20, method="inclusive")[18]


def median(figures: Sequence[Figure]) -> Figure:
    """The medians of several rounds, each column by itself."""
    return Figure(
        requests=sum(figure.requests for figure in figures),
        per_second=statistics.median(figure.per_second for figure in figures),
        p50=statistics.median(figure.p50 for figure in figures),
        p95=statistics.median(figure.p95 for figure in figures),
        size=statistics.median(figure.size for figure in figures),
        sent=sum(figure.sent for figure in figures),
    )
