"""Mentions: other people's rows that have an erased person's address in a text. The address is replaced in each.

Every table with texts that people or providers write is in TEXTS; what is about the person is in erasure_rules.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Text,
    all_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlmodel import SQLModel

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, from_file, id_list, param
from crm_graph.domain.contacts import erasure_rules
from crm_graph.domain.contacts.erasure_rules import IDS, names_person
from crm_graph.models import (
    Activity,
    Company,
    Contact,
    Deal,
    Event,
    Expression,
    ReplyVerdict,
    WebhookAttempt,
    WebhookLog,
    table,
)

MARK = "[erased]"
SEARCHED_MAX = 100_000  # rows of each table, newest first: a search is one statement, and a statement has some seconds
FOUND = id_list("found")


@dataclass(frozen=True, slots=True)
class _Texts:
    """The columns of a table in which an address may stand; `contact_id` is the column that says whose row it is."""

    texts: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    newest: str = "created_at"
    contact_id: str | None = None
    has_version: bool = False


TEXTS: Mapping[type[SQLModel], _Texts] = {
    Contact: _Texts(
        (*Contact.DETAILS, "reply_summary", "do_not_contact_reason"), ("custom",), contact_id="id", has_version=True
    ),
    Deal: _Texts(("title", "notes", "lost_reason", "source", "campaign_id"), contact_id="contact_id", has_version=True),
    # The name of a company is its identity.
    Company: _Texts(("location", "size", "industry", "website", "linkedin_url"), ("enrichment_json",)),
    Activity: _Texts(("content",), ("meta_json",), newest="occurred_at", contact_id="contact_id"),
    ReplyVerdict: _Texts(("summary",), newest="judged_at", contact_id="contact_id"),
    Event: _Texts((), ("payload",), newest="position", contact_id="contact_id"),
    WebhookAttempt: _Texts(("answer", "error"), newest="attempted_at"),
    WebhookLog: _Texts(("error",), newest="received_at", contact_id="contact_id"),
}


class Found(NamedTuple):
    """The ids of rows with a mention by their table, and the tables that have more rows than were searched."""

    ids: dict[type[SQLModel], list[uuid.UUID]]
    not_searched: list[str]


class _Hit(NamedTuple):
    """A row with a mention; null when there are more rows than were searched."""

    id: uuid.UUID | None


async def find(transaction: Transaction, ids: Sequence[uuid.UUID], addresses: Sequence[str]) -> Found:
    """Find the mentions in rows that are not of the person's contacts `ids`. Takes no locks."""
    ids_by_table, not_searched = dict[type[SQLModel], list[uuid.UUID]](), list[str]()
    given = {"ids": list(ids), **erasure_rules.spelled(addresses), "limit": SEARCHED_MAX}
    for model, query in _FIND.items():
        hits = [row.id for row in await query.rows(transaction, **given)]
        if None in hits:
            not_searched.append(table(model).name)
        if found := [id_ for id_ in hits if id_ is not None]:
            ids_by_table[model] = found
    return Found(ids_by_table, not_searched)


async def erase(transaction: Transaction, found: Found, addresses: Sequence[str], now: datetime) -> None:
    """Replace the address in the rows that were found, and in the events that tell of this change."""
    given = {**erasure_rules.spelled(addresses), "now": now}
    for model, rows in found.ids.items():
        await _ERASE[model].run(transaction, found=rows, **given)
    if found.ids.keys() & {Contact, Deal}:  # their triggers write events, with the old values
        await _FIRE_TRIGGERS.run(transaction)
        await _ERASE_NEW_EVENTS.run(transaction, **erasure_rules.spelled(addresses))
        await _DEFER_TRIGGERS.run(transaction)


def _find(model: type[SQLModel]) -> Executable:
    where, rows = TEXTS[model], table(model)
    limit = bindparam("_limit", type_=Integer, required=True)
    names = {"id", *where.texts, *where.documents, *([where.contact_id] if where.contact_id else [])}
    newest = select(*(rows.c[name] for name in sorted(names))).order_by(rows.c[where.newest].desc()).limit(limit)
    searched = newest.subquery("searched")
    whole = func.concat_ws("\n", *(cast(searched.c[name], Text) for name in (*where.texts, *where.documents)))
    hits = select(searched.c.id).where(names_person(whole))
    if where.contact_id is not None:
        contact_id = searched.c[where.contact_id]
        hits = hits.where(or_(contact_id.is_(None), contact_id != all_(IDS)))
    oldest = select(rows.c.id).order_by(rows.c.id).offset(limit).limit(1).subquery("more")
    return union_all(hits, select(cast(literal(None), rows.c.id.type)).select_from(oldest))


def _erase(model: type[SQLModel]) -> Executable:
    where, rows = TEXTS[model], table(model)
    values: dict[str, object] = {name: _without(rows.c[name]) for name in where.texts}
    values |= {name: _document_without(rows.c[name]) for name in where.documents}
    if where.has_version:
        values |= {"version": rows.c.version + 1, "updated_at": param(Contact, "updated_at", "now")}
    return update(rows).where(rows.c.id == func.any(FOUND)).values(values)


def _erase_new_events() -> Executable:
    events, c = table(Event), table(Event).c
    is_new = c.created_at == func.now()
    is_meant = names_person(cast(c.payload, Text))
    return update(events).where(is_new, is_meant).values(payload=_document_without(c.payload))


def _without(text: Expression) -> ColumnElement[str]:
    return func.regexp_replace(text, erasure_rules.PATTERN, MARK, "gi", type_=Text)


def _document_without(document: Expression) -> Expression:
    return cast(_without(cast(document, Text)), document.type)


_FIND = {model: Query(_Hit, partial(_find, model)) for model in TEXTS}
_ERASE = {model: Statement(partial(_erase, model)) for model in TEXTS}
_ERASE_NEW_EVENTS = Statement(_erase_new_events)
_FIRE_TRIGGERS = Statement(from_file("fire_triggers.sql"))
_DEFER_TRIGGERS = Statement(from_file("defer_triggers.sql"))
