"""The size of an answer: at most so many bytes, whichever way it is read.

While PostgreSQL builds an answer that could be larger, it counts the texts in it (sql/answers/crm_counted.sql), so that
neither side ever holds much more.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from crm_graph.database.engine import sqlstate
from crm_graph.errors import QueryTooComplex
from crm_graph.graphql.engine.weights import ANSWER_MAX

TOO_LARGE = "CRM54"  # PostgreSQL's code of the error that crm_counted() raises


class AnswerSize:
    """The bytes that the parts of one answer have. Parts are read one after another."""

    def __init__(self, most: int = ANSWER_MAX) -> None:
        self._left = most

    def add(self, size: int) -> None:
        """Count a part; raises QueryTooComplex when the answer is too large with it."""
        self._left -= size
        if self._left < 0:
            raise too_large()


def too_large() -> QueryTooComplex:
    """The refusal, which says how to get a smaller answer."""
    return QueryTooComplex(
        f"the answer is larger than {ANSWER_MAX // 1_000_000} MB: ask for fewer rows at once (first), or leave out "
        "long fields such as notes, content, custom, meta, payload and body"
    )


@contextmanager
def refusing_too_large() -> Iterator[None]:
    """Raise QueryTooComplex when PostgreSQL finds that the answer is too large."""
    try:
        yield
    except psycopg.Error as error:
        if sqlstate(error) == TOO_LARGE:
            raise too_large() from None
        raise
