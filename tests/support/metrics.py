"""Reading /metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


async def scrape(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Every sample of crm-graph, by its name and the values of its labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {
        (sample.name.removeprefix("crm_graph_"), *sample.labels.values()): sample.value
        for sample in samples
        if sample.name.startswith("crm_graph_") and not sample.name.endswith("_created")
    }
