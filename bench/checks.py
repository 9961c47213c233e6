"""Checks that responses are correct: each query has one expected shape for all contestants."""

from collections.abc import Callable, Iterator
from typing import Any

from bench.documents import FIRST
from bench.figures import ContestantFailed

Ids = list[str]


def _id(row: dict[str, Any]) -> str:
    return str(row.get("rowId") or row["id"])


def _nodes(row: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """The nodes of the connection that has one of these names."""
    connection = next(row[name] for name in names if name in row)
    nodes: list[dict[str, Any]] = connection["nodes"]
    return nodes


def _stages(data: dict[str, Any]) -> list[dict[str, Any]]:
    if "pipeline" in data:
        stages: list[dict[str, Any]] = data["pipeline"]["stages"]
        return stages
    return _nodes(_nodes(data, "allPipelines")[0], "pipelineStagesByPipelineId")


def _board(data: dict[str, Any]) -> Ids:
    ids: Ids = []
    stages = _stages(data)
    _must(len(stages) == 7, f"{len(stages)} stages instead of 7")
    for stage in stages:
        deals = _nodes(stage, "deals", "dealsByPipelineIdAndStageIdAndStatus")
        _must(len(deals) == FIRST, f"{len(deals)} deals in {stage['key']} instead of {FIRST}")
        _must(all("contact" in deal or "contactByContactId" in deal for deal in deals), "a deal without its contact")
        ids += [_id(deal) for deal in deals]
    return ids


def _counts(data: dict[str, Any]) -> Ids:
    def count(stage: dict[str, Any]) -> int:
        return int(
            stage["dealCount"] if "dealCount" in stage else stage["dealsByPipelineIdAndStageIdAndStatus"]["totalCount"]
        )

    counts = [count(stage) for stage in _stages(data)]
    _must(all(number >= FIRST for number in counts), f"counts are {counts}")
    return [*_board(data), *map(str, counts)]


def _detail(data: dict[str, Any]) -> Ids:
    deal = data["deal"] if "deal" in data else _nodes(data, "allDeals")[0]
    activities = _nodes(deal, "activities", "activitiesByDealId")
    _must(len(activities) == FIRST, f"{len(activities)} activities instead of {FIRST}")
    return [_id(deal), *map(_id, activities)]


def _page(data: dict[str, Any]) -> Ids:
    deals = _nodes(data, "deals", "allDeals")
    _must(len(deals) == FIRST, f"{len(deals)} deals instead of {FIRST}")
    _must({str(deal["status"]).upper() for deal in deals} == {"OPEN"}, "a deal that is not open")
    return [_id(deal) for deal in deals]


def _search(data: dict[str, Any]) -> Ids:
    _must(bool(data["search"]), "no results")
    return []  # contestants may rank hits differently


SHAPES: dict[str, Callable[[dict[str, Any]], Ids]] = {
    "board": _board,
    "counts": _counts,
    "detail": _detail,
    "page": _page,
    "search": _search,
}


def check(work: str, data: Any, expected: Ids | None) -> Ids:
    """Check a response and return its ids in order. Raises ContestantFailed if they are not the `expected` ones."""
    try:
        ids = SHAPES[work](data)
    except (KeyError, TypeError, IndexError, StopIteration) as error:
        raise ContestantFailed(f"a response of the wrong shape: {type(error).__name__} {error}") from error
    _must(expected is None or ids == expected, "not the same rows in the same order as crm-graph")
    return ids


def check_leaves(value: Any, expected: Ids) -> None:
    """Check that JSON contains these ids at any depth. Raises ContestantFailed."""
    _must(bool(value), "no results")
    missing = set(expected) - set(_leaves(value))
    _must(not missing, f"{len(missing)} expected ids are missing in the response")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield str(value)


def _must(holds: bool, problem: str) -> None:
    if not holds:
        raise ContestantFailed(problem)
