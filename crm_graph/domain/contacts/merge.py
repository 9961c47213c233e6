"""Merging: two contacts that are one person become one, with everything that either has."""

import uuid
from functools import cache
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain.contacts.records import CUSTOM_MAX_KEYS
from crm_graph.domain.contacts.verdicts import STRENGTH
from crm_graph.domain.deals import cascade
from crm_graph.domain.locking import check_version
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
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

_UNITED = (*Contact.EDITABLE, *Contact.REPLY_STATUS, *Contact.OUTREACH, *Contact.LATEST)


async def merge(
    work: UnitOfWork, *, survivor_id: uuid.UUID, loser_id: uuid.UUID, expected_version: int | None = None
) -> uuid.UUID:
    """Make one contact of two; returns the survivor's id.

    The survivor gets the loser's deals, timeline, tasks, verdicts and events, and what it has no value of its own for;
    all of the loser's addresses find it from now on. Raises NotFound, ValidationFailed or Conflict naming the field,
    or VersionConflict (of the survivor); then nothing was changed.
    """
    work.principal.must_write()
    if survivor_id == loser_id:
        raise ValidationFailed("a contact can't be merged into itself", field="loser_id")
    ids = {"survivor_id": survivor_id, "loser_id": loser_id}
    rows = await _locking(work.principal.role).rows(work.transaction, caller=work.principal.owner_id, **ids)
    found = {row.id: row for row in rows}
    for name, id_ in ids.items():
        if id_ not in found:
            raise NotFound("contact not found", field=name)
    survivor, loser = found[survivor_id], found[loser_id]
    check_version(survivor, expected_version)
    united = _unite(survivor, loser)
    told = {"changes": activities.old_and_new(survivor, activities.differences(survivor, united))}
    moved = {"contact_id": {"old": str(loser_id), "new": str(survivor_id)}}
    await _MERGE.run(
        work.transaction,
        **ids,
        loser_email=loser.email,
        now=work.now,
        deal_meta={"source": work.principal.source, "changes": moved},
        **united,
        **activities.entry_params(
            work, content=f"Merged with {loser.email}", contact_id=survivor_id, meta=told | {"merged": str(loser_id)}
        ),
    )
    owner_id = united["owner_id"]
    if owner_id is not None and {survivor.owner_id, loser.owner_id} != {owner_id}:
        await _FOLLOW.run(work.transaction, contact_id=survivor_id, owner_id=owner_id)
    return survivor_id


def _unite(survivor: Any, loser: Any) -> dict[str, Any]:
    """The survivor's columns, as they become. Raises Conflict when they would hold too much."""
    custom = {**loser.custom, **survivor.custom}
    if len(custom) > CUSTOM_MAX_KEYS:
        message = f"together they have more than {CUSTOM_MAX_KEYS} keys in custom; remove some first"
        raise Conflict(message, field="loser_id")
    is_lead = survivor.lifecycle_stage == LifecycleStage.LEAD  # which everybody is who was never said to be more
    return {
        **{name: getattr(survivor, name) or getattr(loser, name) for name in Contact.PROFILE},
        **_taken(Contact.OWNERSHIP, loser if survivor.owner_id is None else survivor),
        **_taken(Contact.OUTREACH, min(survivor, loser, key=_closed_at)),
        **_taken(Contact.REPLY_STATUS, max(survivor, loser, key=_weight)),
        **{
            name: max(filter(None, (getattr(survivor, name), getattr(loser, name))), default=None)
            for name in Contact.LATEST
        },
        "lifecycle_stage": loser.lifecycle_stage if is_lead else survivor.lifecycle_stage,
        "custom": custom,
    }


def _taken(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _closed_at(contact: Any) -> tuple[bool, Any]:
    """Orders contacts by when they were closed to outreach; those that are open come last."""
    return contact.do_not_contact_at is None, contact.do_not_contact_at or contact.created_at


def _weight(contact: Any) -> tuple[int, Any]:
    """Orders contacts by whose reply status counts more: the stronger source's, then the newer one."""
    is_absence = contact.reply_status == ReplyStatus.OUT_OF_OFFICE
    if contact.reply_status is None or contact.reply_status_source is None:
        strength = -1
    elif is_absence and contact.reply_status_source != ReplyStatusSource.PERSON:
        strength = 0  # no opinion
    else:
        strength = STRENGTH[contact.reply_status_source]
    return strength, contact.reply_status_at or contact.created_at


@cache
def _locking(role: Role) -> Statement:
    def make() -> Any:
        c = table(Contact).c
        is_one = or_(c.id == param(Contact, "id", "survivor_id"), c.id == param(Contact, "id", "loser_id"))
        seen = and_(is_one, visible(Contact, Principal(None, role)))
        # The full lock, by which even who only refers to one of them is waited for, or waits and looks again.
        return select(table(Contact)).where(seen).order_by(c.id).with_for_update()

    return Statement(make)


def _merged() -> Any:
    people, deals = table(Contact), table(Deal)
    survivor, loser = param(Contact, "id", "survivor_id"), param(Contact, "id", "loser_id")
    now = param(Contact, "updated_at", "now")
    edited: dict[str, Any] = {"version": people.c.version + 1, "updated_at": now}
    united = edited | {name: param(Contact, name) for name in _UNITED}
    gone = edited | {"merged_into_id": survivor, "deleted_at": func.coalesce(people.c.deleted_at, now)}
    held = cascade.lock_deals(deals.c.contact_id == loser)
    address = insert(table(ContactEmail)).values(email=param(Contact, "email", "loser_email"), contact_id=survivor)
    return combined(
        update(people).where(people.c.id == survivor).values(united),
        update(people).where(or_(people.c.id == loser, people.c.merged_into_id == loser)).values(gone),
        cascade.update_deals(held, contact_id=survivor),
        cascade.insert_deal_entries(held, "Deal changed: contact_id"),
        *_moved_verdicts(survivor, loser),
        *(
            update(table(model)).where(table(model).c.contact_id == loser).values(contact_id=survivor)
            for model in (Activity, ContactEmail, WebhookLog)
        ),
        address.on_conflict_do_nothing(),
        activities.insert_entry(),
    )


def _moved_verdicts(survivor: Any, loser: Any) -> tuple[Any, Any]:
    """A source has one verdict on a contact that has written nothing: the survivor's stays."""
    verdicts = table(ReplyVerdict)
    c, same = verdicts.c, verdicts.alias("same").c
    of_no_reply = same.contact_id == survivor, same.activity_id.is_(None), same.source == c.source
    is_double = and_(c.activity_id.is_(None), exists(select(1).where(*of_no_reply)))
    is_theirs = c.contact_id == loser
    moved = update(verdicts).where(is_theirs, ~is_double).values(contact_id=survivor)
    return moved, delete(verdicts).where(is_theirs, is_double)


_MERGE = Statement(_merged)
_FOLLOW = Statement(
    lambda: tasks.reassign_open_tasks(
        tasks.is_contact_task(param(Contact, "id", "contact_id")), param(Contact, "owner_id")
    )
)
