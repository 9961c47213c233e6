"""Reply status: people and models say what a reply means, beside the verdicts of rules and providers."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Executable,
    FromClause,
    Select,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    select,
    true,
    update,
)

from crm_graph.database.statements import IdRow, Query, param
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts import verdicts
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.domain.deals import cascade
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.identity.access import owned
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    Activity,
    ActivityType,
    Contact,
    Deal,
    DealStageHistory,
    DealStatus,
    ReplyStatus,
    ReplyStatusSource,
    ReplyVerdict,
    Role,
    table,
)
from crm_graph.values import check_text

DELETED = "Deal deleted: the reply that opened it was judged wrongly"


@dataclass(frozen=True, slots=True)
class ReplyStatusResult:
    """Whether the verdict's status is the contact's now, and the deal that was deleted with it."""

    applied: bool
    deleted_deal_id: uuid.UUID | None = None


class _Reply(NamedTuple):
    """The reply that a verdict is about, with what its source said of it before; None where there is none of it.

    `latest_at` is when the contact wrote its latest reply, `opened_id` the deal to delete.
    """

    reply_id: uuid.UUID | None
    reply_at: datetime | None
    latest_at: datetime | None
    opened_id: uuid.UUID | None
    known_id: uuid.UUID | None
    status: str | None
    summary: str | None
    confidence: Decimal | None

    def has(self, verdict: Verdict) -> bool:
        """Whether its source said the same before."""
        known = (self.status, self.summary, self.confidence)
        return self.known_id is not None and known == (verdict.status, verdict.summary, verdict.rounded_confidence)


async def set_status(
    work: UnitOfWork,
    *,
    contact_id: uuid.UUID,
    status: ReplyStatus,
    source: ReplyStatusSource = ReplyStatusSource.PERSON,
    summary: str | None = None,
    confidence: float | None = None,
    activity_id: uuid.UUID | None = None,
    delete_deal: bool = False,
    expected_version: int | None = None,
) -> ReplyStatusResult:
    """Say what a reply means, by default the contact's latest one. The verdict is stored even if a stronger one holds.

    The same verdict again changes nothing. `delete_deal` deletes the deal that events opened because of the reply,
    unless somebody or a later event changed it since. Raises NotFound or ValidationFailed naming the field, or
    VersionConflict.
    """
    _check(summary, confidence)
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    reply = await _find_reply(work, contact_id, activity_id, source, delete_deal=delete_deal)
    verdict = Verdict(status, source, _written_at(contact, reply, work.now), summary, confidence)
    is_known = reply.has(verdict)
    changes = {} if is_known else verdicts.contact_changes(contact, _with_summary(verdict, contact, reply))
    applied = "reply_status" in changes or (is_known and _is_contacts_status(contact, verdict))
    opened_id = reply.opened_id if applied and status is not ReplyStatus.INTERESTED else None
    if is_known and opened_id is None:
        return ReplyStatusResult(applied)
    params = _entry_params(work, contact, verdict, changes, applied=applied) | {
        "opened_id": opened_id,
        "reply_at": reply.reply_at or contact.reply_status_at,
        "deal_meta": {"source": work.principal.source},
    }
    if not is_known:
        params |= verdicts.verdict_params(contact_id, reply.reply_id, verdict, work.principal.owner_id, work.now)
        params |= _contact_params(work, contact, changes)
    query = _DELETE_DEAL if is_known else _STORE_VERDICT
    deleted = await query.one(work.transaction, now=work.now, **params)
    return ReplyStatusResult(applied, deleted.id if deleted else None)


async def _find_reply(
    work: UnitOfWork,
    contact_id: uuid.UUID,
    activity_id: uuid.UUID | None,
    source: ReplyStatusSource,
    *,
    delete_deal: bool,
) -> _Reply:
    """The reply that the verdict is about; raises NotFound when the caller names one that does not exist."""
    params = {"contact_id": contact_id, "activity_id": activity_id, "source": source, "delete_deal": delete_deal}
    reply = await _REPLY[work.principal.role].one(work.transaction, caller=work.principal.owner_id, **params)
    assert reply is not None, "the query always has one row"
    if activity_id is not None and reply.reply_id is None:
        raise NotFound("this contact has no e-mail with this id", field="activity_id")
    return reply


def _check(summary: str | None, confidence: float | None) -> None:
    if summary is not None:
        check_text(summary, field="summary")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValidationFailed("confidence must be between 0 and 1", field="confidence")


def _written_at(contact: ContactRow, reply: _Reply, now: datetime) -> datetime:
    """When the contact wrote the reply; the present status counts as a verdict on the latest reply."""
    if reply.reply_at is None or reply.latest_at is None:
        # Two calls may have waited for the contact's lock: the later one speaks after the one it waited for.
        return max(now, contact.reply_status_at or now)
    if reply.reply_at < reply.latest_at:
        return reply.reply_at
    return max(reply.reply_at, contact.reply_status_at or reply.reply_at)


def _with_summary(verdict: Verdict, contact: ContactRow, reply: _Reply) -> Verdict:
    """The verdict with the present summary, when it has none and corrects what the same reply means."""
    is_same_reply = reply.reply_id is None or contact.reply_status_at == verdict.occurred_at
    lacks_one = verdict.summary is None and is_same_reply
    return replace(verdict, summary=contact.reply_summary) if lacks_one else verdict


def _is_contacts_status(contact: ContactRow, verdict: Verdict) -> bool:
    return contact.reply_status == verdict.status and contact.reply_status_source == verdict.source


def _contact_params(work: UnitOfWork, contact: ContactRow, changes: Mapping[str, object]) -> dict[str, object]:
    """The contact's columns; unchanged ones are set to their present values."""
    is_changed = bool(activities.differences(contact, changes))
    values = activities.with_changes(contact, Contact.FROM_VERDICTS, changes)
    version, updated_at = (contact.version + 1, work.now) if is_changed else (contact.version, contact.updated_at)
    return values | {"version": version, "updated_at": updated_at}


def _entry_params(
    work: UnitOfWork, contact: ContactRow, verdict: Verdict, changes: Mapping[str, object], *, applied: bool
) -> dict[str, object]:
    content = f"Reply judged by {verdict.source}: {verdict.status}"
    if not applied:
        content += f"; {contact.reply_status}, as judged by {contact.reply_status_source}, stands"
    meta = {
        "verdict": {"status": verdict.status, "source": verdict.source, "confidence": verdict.confidence},
        "changes": activities.old_and_new(contact, activities.differences(contact, changes)),
    }
    return activities.entry_params(work, content=content, contact_id=contact.id, meta=meta)


def _reply(role: Role) -> Executable:
    """The reply of the verdict, the latest reply, the source's earlier verdict, and the deal that the reply opened."""
    verdicts, a, contact_id = table(ReplyVerdict).c, table(Activity).c, param(Contact, "id", "contact_id")
    replies = select(a.id, a.occurred_at, a.deal_id)
    replies = replies.where(a.contact_id == contact_id, a.type == ActivityType.EMAIL_IN)
    # An absence notice says nothing, so it is the latest reply only when there is no other.
    all_absence = func.bool_and(verdicts.status == ReplyStatus.OUT_OF_OFFICE)
    is_absence = select(all_absence).where(verdicts.activity_id == a.id)
    order = func.coalesce(is_absence.scalar_subquery(), false()), a.occurred_at.desc(), a.id.desc()
    latest = replies.order_by(*order).limit(1).cte("latest")
    reply_id = func.coalesce(param(Activity, "id", "activity_id"), select(latest.c.id).scalar_subquery())
    reply = replies.where(a.id == reply_id).cte("reply")
    is_known = (
        verdicts.contact_id == contact_id,
        verdicts.source == param(ReplyVerdict, "source"),
        verdicts.activity_id.is_not_distinct_from(select(reply.c.id).scalar_subquery()),
    )
    known = (
        select(verdicts.id, verdicts.status, verdicts.summary, verdicts.confidence).where(*is_known).subquery("known")
    )
    opened = _opened_deal(Principal(None, role), reply)
    rows: FromClause = select(literal(1).label("one")).subquery("nothing")
    for part in (latest, reply, known, opened):
        rows = rows.outerjoin(part, true())
    return select(
        reply.c.id.label("reply_id"),
        reply.c.occurred_at.label("reply_at"),
        latest.c.occurred_at.label("latest_at"),
        opened.c.id.label("opened_id"),
        known.c.id.label("known_id"),
        *(known.c[name] for name in ("status", "summary", "confidence")),
    ).select_from(rows)


def _opened_deal(principal: Principal, reply: CTE) -> CTE:
    """The open deal that the reply is about, locked, when a deal is to be deleted.

    Without a reply (providers label contacts that have written nothing), it is the contact's newest open one.
    """
    deals, is_wanted = table(Deal), bindparam("_delete_deal", type_=Boolean, required=True)
    is_open = deals.c.status == DealStatus.OPEN, owned(Deal, principal)
    of_contact = select(deals.c.id).where(deals.c.contact_id == param(Contact, "id", "contact_id"), *is_open)
    newest = of_contact.order_by(deals.c.created_at.desc(), deals.c.id.desc()).limit(1).scalar_subquery()
    deal_id = case((exists(select(reply.c.id)), select(reply.c.deal_id).scalar_subquery()), else_=newest)
    found = select(deals.c.id).where(is_wanted, deals.c.id == deal_id, *is_open)
    return found.with_for_update(key_share=True).cte("opened")


def _store_verdict() -> Executable:
    people = table(Contact)
    values = {name: param(Contact, name) for name in (*Contact.FROM_VERDICTS, "version", "updated_at")}
    change = update(people).where(people.c.id == param(Contact, "id", "contact_id")).values(values)
    return _delete_deal().add_cte(
        verdicts.upsert_verdict().cte("verdict"), change.cte("changed"), activities.insert_entry().cte("entry")
    )


def _delete_deal() -> Select[tuple[uuid.UUID]]:
    """Delete the deal that an event opened because of the reply, if neither a person nor a later event changed it."""
    deals, moves, entries = table(Deal), table(DealStageHistory).c, table(Activity).c
    of_deal = moves.deal_id == deals.c.id
    is_by_event = moves.from_stage_id.is_(None), moves.moved_by.is_(None)
    is_of_reply = moves.moved_at == param(Activity, "occurred_at", "reply_at")
    was_opened = exists(select(1).where(of_deal, *is_by_event, is_of_reply))
    was_moved = exists(select(1).where(of_deal, moves.from_stage_id.is_not(None)))
    was_touched = exists(select(1).where(entries.deal_id == deals.c.id, entries.created_by.is_not(None)))
    is_meant: ColumnElement[bool] = deals.c.id == param(Deal, "id", "opened_id")
    untouched = select(deals.c.id).where(is_meant, was_opened, ~was_moved, ~was_touched).cte("untouched")
    deletion = cascade.update_deals(untouched, deleted_at=param(Deal, "deleted_at", "now"))
    deleted = deletion.returning(deals.c.id).cte("deleted")
    return select(deleted.c.id).add_cte(cascade.insert_deal_entries(deleted, DELETED).cte("deal_entry"))


_REPLY = {role: Query(_Reply, partial(_reply, role)) for role in Role}
_STORE_VERDICT = Query(IdRow, _store_verdict)
_DELETE_DEAL = Query(IdRow, _delete_deal)
