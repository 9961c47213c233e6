"""Full-text search over deals, contacts and companies: which rows match a text, and how well.

Each word of the text must be the beginning of a word of the row, in any order. Case, accents and punctuation are
ignored.
"""

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    any_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlmodel import SQLModel

from crm_graph.models import Contact, ContactEmail
from crm_graph.models.columns import Relation, table
from crm_graph.models.searched import SEARCHED, folded, phone_key, words_of


def matches(model: type[SQLModel], rows: Relation, text: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a row of `rows` (the model's table or an alias of it) has all words of `text`; if it has
    no words, no row matches.

    Uses the table's search index. Only the first 8 words and 64 characters of each count.
    """
    return words_of(folded(*_columns(model, rows))).bool_op("@@")(func.crm_query(text))


def leads_to(rows: Relation, text: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether `text` is a further address of a contact of `rows`, or its telephone number: at least 6 digits, in any
    grouping, with or without country code. Not for contacts that `matches` finds already.
    """
    aliases = table(ContactEmail).alias("further")
    by_address = select(aliases.c.contact_id).where(matches(ContactEmail, aliases, text))
    is_phone = text.op("~")(literal_column("'^[-+0-9()/. ]+$'"))
    number = case((is_phone, text))
    key = select(phone_key(number)).scalar_subquery()
    after_last = select(func.concat(phone_key(number), literal_column("'z'"))).scalar_subquery()  # after every digit
    shorter = cast(select(func.crm_phone_keys(number)).scalar_subquery(), ARRAY(Text))
    stored = phone_key(rows.c.phone)
    begins = and_(stored >= key, stored < after_last)
    by_phone = and_(rows.c.phone.is_not(None), or_(begins, stored == any_(shorter)))
    found: ColumnElement[bool] = rows.c.id == any_(func.array(by_address.scalar_subquery()))
    return and_(or_(found, by_phone), ~matches(Contact, rows, text))


def rank(model: type[SQLModel], rows: Relation, text: ColumnElement[str]) -> ColumnElement[float]:
    """How well the name of a matching row fits `text`: 1 or more if it contains the whole words, in any order, or
    starts with the text; else below 1, by ts_rank; 0 if the words are in other columns. Takes about 20 µs per row.
    """
    # A scalar subquery of a parameter is computed once, not for each row.
    beginnings = select(func.crm_query(text)).scalar_subquery()
    without_prefixes = func.replace(cast(func.crm_query(text), Text), literal_column("':*'"), literal_column("''"))
    whole = select(cast(without_prefixes, TSQUERY)).scalar_subquery()
    start = select(func.crm_fold(func.left(text, literal_column("2000")))).scalar_subquery()
    # OFFSET 0 keeps the planner from folding the name again at each mention.
    fold_once = select(folded(_columns(model, rows)[0]).label("folded")).offset(literal_column("0"))
    name = fold_once.subquery().c.folded
    is_whole = or_(func.starts_with(name, start), words_of(name).bool_op("@@")(whole))
    below_one: ColumnElement[int] = literal_column("32")  # the normalization rank / (rank + 1)
    fitness = cast(is_whole, Integer) + func.ts_rank(words_of(name), beginnings, below_one, type_=Float)
    return select(fitness).scalar_subquery()


def _columns(model: type[SQLModel], rows: Relation) -> list[ColumnElement[str | None]]:
    return [rows.c[name] for name in SEARCHED[table(model).name]]
