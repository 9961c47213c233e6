"""Relay connections: pages of lists that can grow."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

from crm_graph.graphql.engine.bindings import graphql_type

Node = TypeVar("Node")


@graphql_type()
class PageInfo:
    """The position of a page in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None = strawberry.field(description="Pass this as `after` to get the next page.")


@strawberry.type(description="A row and its cursor.")
class Edge(Generic[Node]):
    cursor: str
    node: Node


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):
    edges: list[Edge[Node]]
    nodes: list[Node] = strawberry.field(description="The rows of the page, as in `edges { node }`.")
    page_info: PageInfo
    total_count: int = strawberry.field(
        description="The exact number of rows on all pages. It is computed only when selected."
    )
