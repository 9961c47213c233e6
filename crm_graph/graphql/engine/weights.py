"""What a field costs, in points. A point is about a microsecond of the server's time, or a tenth of a kilobyte of its
memory, whichever is more, with 100,000 deals; `python -m bench.cost` measures both.

Most prices follow from the kind of a field. Where one costs more, its declaration has a Weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, get_named_type, get_nullable_type, is_list_type

from crm_graph.graphql.engine.library_internals import metadata

POINTS_MAX = 1_000_000  # of a query: a second, or 100 MB
# Of a mutation or a subscription: graphql-core completes their values one by one, on the event loop, where a point of a
# value takes up to ten times as long as in PostgreSQL.
COMPLETED_POINTS_MAX = 200_000
ANSWER_MAX = 6_000_000  # bytes of an answer; PostgreSQL takes up to 15 times that for one object
COUNTED_ABOVE = 10_000_000  # bytes that an answer has at the very most: below that, its texts are not counted

# Once, whatever the number of rows: reading, compiling and planning it.
VALUE_ONCE, OBJECT_ONCE, LIST_ONCE = 100, 2_000, 4_000
# For each row: PostgreSQL makes its JSON, and where there is an error, graphql-core goes through it.
VALUE_EACH, OBJECT_EACH, ROW_EACH, LIST_EACH = 5, 5, 10, 20
BYTES_PER_POINT = 10

LIST_ROWS = 10  # of a plain list, unless declared
COUNT_EACH = 300  # of a connection below a row, which has few rows itself
# The bytes of a value: what is reckoned with, and the most. A longer text is counted while it is read.
UNCOUNTED = 64
LINE_MOST, TEXT_MOST = 2_000, 1_000_000
BYTES = {"UUID": 38, "DateTime": 34, "Date": 12, "Decimal": 20, "Int": 12, "Float": 24, "Boolean": 5}
OVERHEAD = 6  # of a key in JSON: its quotes, colon, comma and spaces
WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Weight:
    """What makes a field cost more than others of its kind.

    - `points` for each row of its parent: reports, searches, sums.
    - `scan`, of a connection at the root: reading the table for a filter, an order or a count.
    - `count`, of another connection: its `totalCount`.
    - `rows` that a plain list is expected to have.
    - `is_long`: its text or JSON may have more than a line.
    """

    points: int = 0
    scan: int = 0
    count: int = COUNT_EACH
    rows: int = LIST_ROWS
    is_long: bool = False


_USUAL = Weight()


def weight_of(declared: Mapping[Any, Any]) -> Weight:
    """The weight in a field's metadata."""
    weight: Weight = declared.get(WEIGHT, _USUAL)
    return weight


def is_text(field: GraphQLField) -> bool:
    """Whether the field's value is one text or JSON, whose length only the database knows."""
    return not is_list_type(get_nullable_type(field.type)) and get_named_type(field.type).name in ("String", "JSON")


def value_bytes(field: GraphQLField | None) -> tuple[int, int]:
    """The bytes of a field's value in JSON: the most that is not counted while it is read, and the most."""
    if field is None:
        return UNCOUNTED, LINE_MOST
    if is_text(field):
        is_json = get_named_type(field.type).name == "JSON"
        return UNCOUNTED, TEXT_MOST if is_json or weight_of(metadata(field)).is_long else LINE_MOST
    size = BYTES.get(get_named_type(field.type).name, UNCOUNTED)
    return (size, size) if not is_list_type(get_nullable_type(field.type)) else (LIST_ROWS * size, LIST_ROWS * size)
