"""Merging: two contacts that are the same person become one, with everything that either of them has."""

import uuid
from datetime import datetime
from functools import partial

from sqlalchemy import BindParameter, Executable, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Delete, Update

from crm_graph.database.statements import Query, Statement, columns_of, combined, param
from crm_graph.domain.contacts.custom import exceeds
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.contacts.verdicts import STRENGTH
from crm_graph.domain.deals import cascade
from crm_graph.domain.locking import check_version
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import owned
from crm_graph.identity.principal import Principal
from crm_graph.json_documents import DOCUMENT_KEYS_MAX, DOCUMENT_MAX, json_size
from crm_graph.models import (
    Activity,
    Contact,
    ContactEmail,
    Deal,
    LifecycleStage,
    ReplyStatus,
    ReplyStatusSource,
    ReplyVerdict,
    Role,
    WebhookLog,
    table,
)

_MERGED = (*Contact.EDITABLE, *Contact.REPLY_STATUS, *Contact.OUTREACH, *Contact.LATEST)


async def merge(
    work: UnitOfWork, *, survivor_id: uuid.UUID, loser_id: uuid.UUID, expected_version: int | None = None
) -> uuid.UUID:
    """Merge one contact (the loser) into another one; returns the survivor's id.

    The survivor gets the loser's deals, timeline, tasks, verdicts, provider events and addresses, and fills its empty
    columns with the loser's. Raises NotFound, ValidationFailed or Conflict naming the field, or VersionConflict (of the
    survivor); then nothing was changed.
    """
    work.principal.must_write()
    if survivor_id == loser_id:
        raise ValidationFailed("a contact can't be merged into itself", field="loser_id")
    survivor, loser = await _lock(work, survivor_id, loser_id)
    check_version(survivor, expected_version)
    values = _merged_values(survivor, loser)
    changes = activities.old_and_new(survivor, activities.differences(survivor, values))
    deal_changes = {"contact_id": {"old": str(loser_id), "new": str(survivor_id)}}
    meta = {"changes": changes, "merged": str(loser_id)}
    await _MERGE.run(
        work.transaction,
        survivor_id=survivor_id,
        loser_id=loser_id,
        loser_email=loser.email,
        now=work.now,
        deal_meta={"source": work.principal.source, "changes": deal_changes},
        **values,
        **activities.entry_params(work, content=f"Merged with {loser.email}", contact_id=survivor_id, meta=meta),
    )
    owner_id = values["owner_id"]
    if owner_id is not None and {survivor.owner_id, loser.owner_id} != {owner_id}:
        await _REASSIGN_TASKS.run(work.transaction, contact_id=survivor_id, owner_id=owner_id)
    return survivor_id


async def _lock(work: UnitOfWork, survivor_id: uuid.UUID, loser_id: uuid.UUID) -> tuple[ContactRow, ContactRow]:
    ids = {"survivor_id": survivor_id, "loser_id": loser_id}
    rows = await _LOCK[work.principal.role].rows(work.transaction, caller=work.principal.owner_id, **ids)
    found = {row.id: row for row in rows}
    for field, id_ in ids.items():
        if id_ not in found:
            raise NotFound("contact not found", field=field)
    return found[survivor_id], found[loser_id]


def _merged_values(survivor: ContactRow, loser: ContactRow) -> dict[str, object]:
    """The survivor's new columns. Raises Conflict when `custom` gets too large."""
    custom = {**loser.custom, **survivor.custom}
    if exceeds(custom, survivor.custom):
        message = (
            f"together they have {len(custom)} fields and {json_size(custom):,} bytes in custom; the limit is "
            f"{DOCUMENT_KEYS_MAX} and {DOCUMENT_MAX:,}: remove some first"
        )
        raise Conflict(message, field="loser_id")
    is_lead = survivor.lifecycle_stage == LifecycleStage.LEAD  # the initial stage, so the loser's says more
    return {
        **{name: getattr(survivor, name) or getattr(loser, name) for name in Contact.PROFILE},
        **_columns(loser if survivor.owner_id is None else survivor, Contact.OWNERSHIP),
        **_columns(min(survivor, loser, key=_outreach_order), Contact.OUTREACH),
        **_columns(max(survivor, loser, key=_reply_status_order), Contact.REPLY_STATUS),
        **{name: _latest(getattr(survivor, name), getattr(loser, name)) for name in Contact.LATEST},
        "lifecycle_stage": loser.lifecycle_stage if is_lead else survivor.lifecycle_stage,
        "custom": custom,
    }


def _columns(row: ContactRow, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _outreach_order(contact: ContactRow) -> tuple[bool, datetime]:
    """Orders contacts by when they were closed to outreach; open ones come last."""
    return contact.do_not_contact_at is None, contact.do_not_contact_at or contact.created_at


def _reply_status_order(contact: ContactRow) -> tuple[int, datetime]:
    """Orders contacts by the weight of their reply status: by its source, then by its age, the newest last."""
    is_absence = contact.reply_status == ReplyStatus.OUT_OF_OFFICE
    if contact.reply_status is None or contact.reply_status_source is None:
        strength = -1
    elif is_absence and contact.reply_status_source != ReplyStatusSource.PERSON:
        strength = 0  # no opinion
    else:
        strength = STRENGTH[contact.reply_status_source]
    return strength, contact.reply_status_at or contact.created_at


def _lock_both(role: Role) -> Executable:
    people, c = table(Contact), table(Contact).c
    is_one = or_(c.id == param(Contact, "id", "survivor_id"), c.id == param(Contact, "id", "loser_id"))
    may_change = owned(Contact, Principal(None, role))
    # FOR UPDATE, which also conflicts with the locks of rows that refer to one of them: a transaction that refers to
    # the loser either ends before the merge or looks again after it.
    return select(*columns_of(ContactRow, people)).where(is_one, may_change).order_by(c.id).with_for_update()


def _merge_contacts() -> Executable:
    people, deals = table(Contact), table(Deal)
    survivor, loser = param(Contact, "id", "survivor_id"), param(Contact, "id", "loser_id")
    now = param(Contact, "updated_at", "now")
    edited: dict[str, object] = {"version": people.c.version + 1, "updated_at": now}
    survivor_values = edited | {name: param(Contact, name) for name in _MERGED}
    loser_values = edited | {"merged_into_id": survivor, "deleted_at": func.coalesce(people.c.deleted_at, now)}
    locked = cascade.lock_deals(deals.c.contact_id == loser)
    address = insert(table(ContactEmail)).values(email=param(Contact, "email", "loser_email"), contact_id=survivor)
    return combined(
        update(people).where(people.c.id == survivor).values(survivor_values),
        update(people).where(or_(people.c.id == loser, people.c.merged_into_id == loser)).values(loser_values),
        cascade.update_deals(locked, contact_id=survivor),
        cascade.insert_deal_entries(locked, "Deal changed: contact_id"),
        *_move_verdicts(survivor, loser),
        *(
            update(table(model)).where(table(model).c.contact_id == loser).values(contact_id=survivor)
            for model in (Activity, ContactEmail, WebhookLog)
        ),
        address.on_conflict_do_nothing(),
        activities.insert_entry(),
    )


def _move_verdicts(survivor: BindParameter[uuid.UUID], loser: BindParameter[uuid.UUID]) -> tuple[Update, Delete]:
    """Give the loser's verdicts to the survivor.

    A source has one verdict on a contact that has written nothing: the survivor's own is kept.
    """
    verdicts = table(ReplyVerdict)
    c, kept = verdicts.c, verdicts.alias("kept").c
    is_same = kept.contact_id == survivor, kept.activity_id.is_(None), kept.source == c.source
    is_duplicate = and_(c.activity_id.is_(None), exists(select(1).where(*is_same)))
    is_losers = c.contact_id == loser
    move = update(verdicts).where(is_losers, ~is_duplicate).values(contact_id=survivor)
    return move, delete(verdicts).where(is_losers, is_duplicate)


_LOCK = {role: Query(ContactRow, partial(_lock_both, role)) for role in Role}
_MERGE = Statement(_merge_contacts)
_REASSIGN_TASKS = Statement(
    lambda: tasks.reassign_open_tasks(
        tasks.is_contact_task(param(Contact, "id", "contact_id")), param(Contact, "owner_id")
    )
)
