"""The metrics of this process, and of every other process of one `serve --workers N`, whichever of them is asked.

Each process offers its own samples at a UNIX socket, in a folder that only its user can enter. A scrape reaches one of
the processes, and that one asks the others. Samples carry the label `process`, so that counters of a process that was
restarted begin again under another name instead of going back.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import orjson
from prometheus_client import Metric

from crm_graph.database.engine import Database
from crm_graph.telemetry.metrics import Metrics, gauge

log = logging.getLogger(__name__)

ANSWER_SECONDS = 1.0  # a process that is busy for longer is missing in the scrape


class ProcessMetrics:
    """What this process counts, and the state of its pools; labelled with its `number` if it is one of several."""

    def __init__(self, metrics: Metrics, database: Database, number: int | None = None) -> None:
        self._registry, self._database = metrics.registry, database
        self._labels = {} if number is None else {"process": str(number)}

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        for metric in (*self._registry.collect(), *self._gauges()):
            metric.samples = [sample._replace(labels=sample.labels | self._labels) for sample in metric.samples]
            yield metric

    def _gauges(self) -> Iterator[Metric]:
        yield gauge("info", "The version of crm-graph.", {version("crm-graph"): 1}, "version")
        pools = self._database.pools()
        for name in ("size", "in_use", "idle"):
            values = {pool.name: getattr(pool, name) for pool in pools}
            yield gauge(f"database_connections_{name}", f"Connections of this process: {name}.", values, "pool")


class ProcessGroup:
    """The processes whose sockets are in `folder`; this one, with its process id `number`, is one while `member` runs.

    The folder's path must be short: a socket's has at most 107 bytes.
    """

    def __init__(self, folder: Path, number: int, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._folder, self.number, self._answer_seconds = folder, number, answer_seconds
        self._own = folder / str(number)
        self._source: Callable[[], Iterable[Metric]] = tuple

    def offer(self, source: Callable[[], Iterable[Metric]]) -> None:
        """Set what the other processes get as the metrics of this one."""
        self._source = source

    @asynccontextmanager
    async def member(self) -> AsyncIterator[None]:
        """Answer the other processes until the block ends."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                writer.write(_dump(self._source()))
                await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(answer, self._own):
            try:
                yield
            finally:
                self._own.unlink(missing_ok=True)

    async def of_others(self) -> list[Metric]:
        """The metrics of the other processes, and how many processes answered and did not."""
        others = [self._folder / name for name in sorted(os.listdir(self._folder)) if name != self._own.name]
        answers = await asyncio.gather(*(_ask(path, self._answer_seconds) for path in others))
        silent = sum(answer is None for answer in answers)
        answered = 1 + sum(bool(answer) for answer in answers)
        counts = {"answered": answered, "silent": silent}
        processes = gauge(
            "processes", "Processes of this server, by whether they answered this scrape.", counts, "state"
        )
        return [processes, *(metric for answer in answers for metric in answer or ())]


async def _ask(path: Path, seconds: float) -> list[Metric] | None:
    """The metrics of one process; none if it has ended, None if it does not answer."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return _load(await reader.read(-1))
            finally:
                writer.close()
    except (ConnectionRefusedError, FileNotFoundError):
        _remove(path)
        return []
    except (OSError, TimeoutError, ValueError) as error:
        details = {"process": path.name, "cause": type(error).__name__}
        log.warning("a process did not answer with its metrics", extra={"details": details})
        return None


def _remove(path: Path) -> None:
    """Remove the socket of a process that was killed; any other process removes its own."""
    path.unlink(missing_ok=True)


def _dump(metrics: Iterable[Metric]) -> bytes:
    families = (
        [family.name, family.documentation, family.type, [(s.name, s.labels, s.value) for s in family.samples]]
        for family in metrics
    )
    return orjson.dumps(list(families))


def _load(answer: bytes) -> list[Metric]:
    metrics = []
    for name, documentation, type_, samples in orjson.loads(answer):
        metric = Metric(name, documentation, type_)
        for sample, labels, value in samples:
            metric.add_sample(sample, labels, value)
        metrics.append(metric)
    return metrics


def merged(metrics: Iterable[Metric]) -> list[Metric]:
    """One family for each name, with the samples of all families of that name: the formats allow no second one."""
    families: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name in families:
            families[metric.name].samples += metric.samples
        else:
            families[metric.name] = metric
    return list(families.values())
