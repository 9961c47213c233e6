"""What full-text search reads of each table, as its index and its queries both spell it."""

from sqlalchemy import ColumnElement, Index, column, func, literal_column
from sqlalchemy.dialects.postgresql import TSVECTOR

# The first column is what a row is called: search.rank looks there.
SEARCHED = {
    "companies": ("name", "domain", "industry", "location"),
    "contacts": ("full_name", "email", "title", "phone"),
    "deals": ("title",),
}


def folded(*columns: ColumnElement[str | None]) -> ColumnElement[str]:
    """The columns as one text in the normal form of search.

    2000 characters hold whatever the API accepts; a longer text, written otherwise, is searched as far as that rather
    than refused for the size of its index entry. Constants are literals: a parameter is not what the index has.
    """
    words: ColumnElement[str] = func.coalesce(columns[0], literal_column("''"))
    for more in columns[1:]:
        # `op` sets parentheses as PostgreSQL shows them, by which Alembic knows the index again.
        words = words.op("||")(literal_column("' '")).op("||")(func.coalesce(more, literal_column("''")))
    return func.crm_fold(func.left(words, literal_column("2000")))


def words_of(folded: ColumnElement[str]) -> ColumnElement[str]:
    """The words of a text in the normal form of search."""
    return func.to_tsvector(literal_column("'simple'::regconfig"), folded, type_=TSVECTOR)


def search_index(name: str) -> Index:
    """The index that searches of a table are read from."""
    return Index(f"{name}_search_idx", words_of(folded(*map(column, SEARCHED[name]))), postgresql_using="gin")
