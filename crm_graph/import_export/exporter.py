"""Exports the contacts, deals and activities that the caller may see as CSV (RFC 4180, UTF-8).

They are read page by page, oldest first. Each page is one statement, so that a download of any size holds no
transaction and only one page in memory.
"""

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from sqlalchemy import FromClause, and_, select, tuple_, union_all
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import SQLModel

from crm_graph.database.engine import Database
from crm_graph.identity.access import alternatives, visible
from crm_graph.identity.principal import Principal
from crm_graph.import_export import formula_escaping
from crm_graph.models import (
    Activity,
    AnySelect,
    Company,
    Contact,
    Deal,
    Expression,
    Owner,
    Pipeline,
    PipelineStage,
    table,
)

PAGE_ROWS = 1_000
BOM = "\ufeff"
ColumnCollection: TypeAlias = ReadOnlyColumnCollection[str, Any]


class Kind(StrEnum):
    """What can be exported."""

    CONTACTS = "contacts"
    DEALS = "deals"
    ACTIVITIES = "activities"


class _Page:
    """The rows of a page, joined with the rows that they refer to as far as the caller may see those."""

    def __init__(self, principal: Principal, rows: FromClause) -> None:
        self._principal = principal
        self.rows, self.joined = rows, rows

    def join(self, model: type[SQLModel], key: Expression) -> ColumnCollection:
        """Join the row that `key` refers to; returns its columns."""
        referred = table(model).alias()
        is_it = and_(referred.c.id == key, visible(model, self._principal, referred))
        self.joined = self.joined.outerjoin(referred, is_it)
        return referred.c


Columns: TypeAlias = Callable[[_Page], dict[str, Expression]]


@dataclass(frozen=True, slots=True)
class _Export:
    """A kind of export: its table, the time column that orders it, and its columns, named as in the API."""

    model: type[SQLModel]
    time: str
    columns: Columns


async def pages(
    database: Database, principal: Principal, kind: Kind, *, bom: bool = False, size: int = PAGE_ROWS
) -> AsyncIterator[bytes]:
    """The file in parts: the header with the first page, then the other pages. Raises Unavailable.

    With `bom` it starts with a byte order mark, so that Excel reads it as UTF-8.
    """
    after: tuple[datetime, uuid.UUID] | None = None
    while True:
        query = _page(_EXPORTS[kind], principal, after, size)
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        names = [column.name for column in query.selected_columns][2:]
        header = [(BOM if bom else "") + names[0], *names[1:]]
        yield _csv([] if after else [header], rows)
        if len(rows) < size:
            return
        after = (rows[-1][0], rows[-1][1])


def _page(export: _Export, principal: Principal, after: tuple[datetime, uuid.UUID] | None, size: int) -> AnySelect:
    rows = table(export.model)
    key = tuple_(rows.c[export.time], rows.c.id)
    behind = [] if after is None else [key > tuple_(*after)]
    # One by one: an index has the rows of each alternative of the owner rule in order, but no index has both.
    arms = [
        select(rows).where(seen, *behind).order_by(rows.c[export.time], rows.c.id).limit(size).subquery()
        for seen in alternatives(export.model, principal)
    ]
    page = _Page(principal, union_all(*(select(arm) for arm in arms)).subquery("page"))
    columns = export.columns(page)
    order = page.rows.c[export.time], page.rows.c.id
    named = [column.label(name) for name, column in columns.items()]
    keys = [column.label(f"key{place}") for place, column in enumerate(order)]
    return select(*keys, *named).select_from(page.joined).order_by(*order).limit(size)


def _csv(header: Sequence[Sequence[str]], rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([*header, *([_cell(value) for value in row[2:]] for row in rows)])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    """A value as the API writes it."""
    match value:
        case None:
            return ""
        case Enum():
            return str(value.value).upper()
        case str():
            return formula_escaping.escape(value)
        case bool():
            return str(value).lower()
        case datetime() | date():
            return value.isoformat()
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _contacts(page: _Page) -> dict[str, Expression]:
    c = page.rows.c
    company, owner = page.join(Company, c.company_id), page.join(Owner, c.owner_id)
    return {
        "id": c.id,
        "email": c.email,
        "fullName": c.full_name,
        "title": c.title,
        "phone": c.phone,
        "website": c.website,
        "linkedinUrl": c.linkedin_url,
        "companyId": company.id,
        "companyName": company.name,
        "ownerEmail": owner.email,
        "ownerSource": c.owner_source,
        "lifecycleStage": c.lifecycle_stage,
        "replyStatus": c.reply_status,
        "replySummary": c.reply_summary,
        "replyStatusSource": c.reply_status_source,
        "replyStatusAt": c.reply_status_at,
        "needsReview": c.needs_review,
        "oooUntil": c.ooo_until,
        "doNotContactAt": c.do_not_contact_at,
        "doNotContactReason": c.do_not_contact_reason,
        "latestEmailSentAt": c.latest_email_sent_at,
        "custom": c.custom,
        "version": c.version,
        "createdAt": c.created_at,
        "updatedAt": c.updated_at,
    }


def _deals(page: _Page) -> dict[str, Expression]:
    c = page.rows.c
    contact, company = page.join(Contact, c.contact_id), page.join(Company, c.company_id)
    pipeline, stage = page.join(Pipeline, c.pipeline_id), page.join(PipelineStage, c.stage_id)
    owner = page.join(Owner, c.owner_id)
    return {
        "id": c.id,
        "title": c.title,
        "pipelineName": pipeline.name,
        "stageKey": stage.key,
        "stageName": stage.name,
        "status": c.status,
        "lostReason": c.lost_reason,
        "amount": c.amount,
        "currency": c.currency,
        "closeDate": c.close_date,
        "contactId": contact.id,
        "contactEmail": contact.email,
        "contactFullName": contact.full_name,
        "companyId": company.id,
        "companyName": company.name,
        "ownerEmail": owner.email,
        "source": c.source,
        "campaignId": c.campaign_id,
        "notes": c.notes,
        "version": c.version,
        "createdAt": c.created_at,
        "updatedAt": c.updated_at,
    }


def _activities(page: _Page) -> dict[str, Expression]:
    c = page.rows.c
    contact, deal = page.join(Contact, c.contact_id), page.join(Deal, c.deal_id)
    company, creator = page.join(Company, c.company_id), page.join(Owner, c.created_by)
    assignee = page.join(Owner, c.assignee_id)
    return {
        "id": c.id,
        "type": c.type,
        "occurredAt": c.occurred_at,
        "content": c.content,
        "contactId": contact.id,
        "contactEmail": contact.email,
        "dealId": deal.id,
        "dealTitle": deal.title,
        "companyId": company.id,
        "companyName": company.name,
        "createdByEmail": creator.email,
        "dueAt": c.due_at,
        "assigneeEmail": assignee.email,
        "completedAt": c.completed_at,
        "meta": c.meta_json,
        "createdAt": c.created_at,
    }


_EXPORTS = {
    Kind.CONTACTS: _Export(Contact, "created_at", _contacts),
    Kind.DEALS: _Export(Deal, "created_at", _deals),
    Kind.ACTIVITIES: _Export(Activity, "occurred_at", _activities),
}
