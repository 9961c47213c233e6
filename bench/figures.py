"""The figures of one measurement, and their medians over the rounds of a run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Latencies are in milliseconds; `size` is the mean response in bytes; `sent` includes the warm-up."""

    requests: int
    per_second: float
    p50: float
    p95: float
    size: float
    sent: int
    errors: int = 0
    first_error: str = ""


class ContestantFailed(Exception):
    """A contestant could not start or gave a wrong response; the message is a line for the results."""


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
