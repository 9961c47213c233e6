"""The metrics of several processes, whichever of them is asked."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from crm_graph.database.engine import Database
from crm_graph.server.process_metrics import ProcessGroup, ProcessMetrics, merged
from crm_graph.telemetry.metrics import Metrics


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("m")


def member(folder: Path, number: int, metrics: Metrics, database: Database) -> ProcessGroup:
    group = ProcessGroup(folder, number, answer_seconds=0.2)
    group.offer(ProcessMetrics(metrics, database, number).collect)
    return group


def samples(metrics: list[Metric]) -> dict[tuple[str, ...], float]:
    return {(s.name, *s.labels.values()): s.value for metric in metrics for s in metric.samples}


async def test_each_process_gives_the_numbers_of_all(folder: Path, database: Database) -> None:
    one, other = Metrics(), Metrics()
    one.request("GET", "/healthz", 200, 0.2)
    for _ in range(2):
        other.request("GET", "/healthz", 200, 0.02)
    first = member(folder, 101, one, database)
    second = member(folder, 102, other, database)
    own = list(ProcessMetrics(one, database, 101).collect())

    async with first.member(), second.member():
        found = await first.of_others()
        assert samples(await second.of_others())["crm_graph_http_requests_total", "GET", "/healthz", "200", "101"] == 1

    shown = samples(found)
    assert shown["crm_graph_http_requests_total", "GET", "/healthz", "200", "102"] == 2
    assert shown["crm_graph_http_request_seconds_bucket", "/healthz", "0.025", "102"] == 2
    assert (shown["crm_graph_processes", "answered"], shown["crm_graph_processes", "silent"]) == (2, 0)
    families = [family.name for family in merged((*own, *found))]
    assert len(families) == len(set(families))
    assert not os.listdir(folder)


async def test_the_merged_metrics_are_valid(folder: Path, database: Database) -> None:
    one, other = Metrics(), Metrics()
    for metrics in (one, other):
        metrics.graphql("query", "ok", 0.1)
    first = member(folder, 101, one, database)
    second = member(folder, 102, other, database)
    async with second.member():
        collected = [*ProcessMetrics(one, database, 101).collect(), *await first.of_others()]

    class Collected:
        def collect(self) -> list[Metric]:
            return merged(collected)

    registry = CollectorRegistry()
    registry.register(Collected())
    families = {f.name: f for f in text_string_to_metric_families(generate_latest(registry).decode())}
    counted = families["crm_graph_graphql_operations"].samples
    assert {s.labels["process"]: s.value for s in counted if s.name.endswith("_total")} == {"101": 1, "102": 1}


async def test_a_killed_process_is_forgotten(folder: Path, database: Database) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(folder / "103"))
    group = member(folder, 101, Metrics(), database)

    shown = samples(await group.of_others())

    assert (shown["crm_graph_processes", "answered"], shown["crm_graph_processes", "silent"]) == (1, 0)
    assert not os.listdir(folder)


@pytest.mark.parametrize("answer", [b"", b"[[", None], ids=["nothing", "half", "silence"])
async def test_a_process_that_does_not_answer_is_reported_and_not_waited_for(
    folder: Path, database: Database, answer: bytes | None
) -> None:
    released = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await released.wait()
        writer.write(answer or b"")
        writer.close()

    group = member(folder, 101, Metrics(), database)
    async with await asyncio.start_unix_server(hang, folder / "103"), asyncio.timeout(5):
        shown = samples(await group.of_others())
        released.set()

    assert (shown["crm_graph_processes", "answered"], shown["crm_graph_processes", "silent"]) == (1, 1)


async def test_one_process_alone_has_no_label(database: Database) -> None:
    metrics = Metrics()
    metrics.request("GET", "/healthz", 200, 0.2)
    shown = samples(list(ProcessMetrics(metrics, database).collect()))
    assert shown["crm_graph_http_requests_total", "GET", "/healthz", "200"] == 1
