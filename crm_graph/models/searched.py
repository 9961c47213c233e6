"""The columns that full-text search reads, in the one form that both indexes and queries use."""

from sqlalchemy import ColumnElement, Index, Text, column, func, literal_column
from sqlalchemy.dialects.postgresql import TSVECTOR

# The first column is the name of a row, which search.rank uses.
SEARCHED = {
    "companies": ("name", "domain", "industry", "location"),
    "contacts": ("full_name", "email", "title", "phone"),
    "contact_emails": ("email",),
    "deals": ("title",),
}


def folded(*columns: ColumnElement[str | None]) -> ColumnElement[str]:
    """The columns as one text in the normal form of search.

    2000 characters hold everything that the API accepts. Of a longer text, from another program, only that much is
    searched, because an index entry has a maximum size. Constants are literals: with parameters, queries would not
    match the index.
    """
    words: ColumnElement[str] = func.coalesce(columns[0], literal_column("''"))
    for more in columns[1:]:
        # `op` sets parentheses as PostgreSQL does, so that Alembic recognises the index.
        words = words.op("||")(literal_column("' '")).op("||")(func.coalesce(more, literal_column("''")))
    return func.crm_fold(func.left(words, literal_column("2000")))


def words_of(folded: ColumnElement[str]) -> ColumnElement[str]:
    """The words of a text in the normal form of search."""
    return func.to_tsvector(literal_column("'simple'::regconfig"), folded, type_=TSVECTOR)


def search_index(name: str) -> Index:
    """The index for searches of a table."""
    return Index(f"{name}_search_idx", words_of(folded(*map(column, SEARCHED[name]))), postgresql_using="gin")


def phone_key(phone: ColumnElement[str | None]) -> ColumnElement[str]:
    """A telephone number in the form in which it is searched; null for less than 6 digits."""
    return func.crm_phone_key(phone, type_=Text)
