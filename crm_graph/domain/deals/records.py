"""Deals: what the team is selling to whom. How far it has come is the matter of `moves`."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, Select, and_, func, insert, null, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain import references
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.stage_history import creation, creation_values, entry
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import restorable
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, Deal, DealStatus, Pipeline, PipelineStage, Role, StageKind, table
from crm_graph.values import TEXT_MAX, check_money, check_text

_EDITED = (
    "title",
    "contact_id",
    "company_id",
    "owner_id",
    "amount",
    "currency",
    "close_date",
    "source",
    "notes",
    "campaign_id",
)


class LockedDeal(NamedTuple):
    """A deal that is being edited."""

    id: uuid.UUID
    version: int
    title: str
    contact_id: uuid.UUID | None
    company_id: uuid.UUID | None
    owner_id: uuid.UUID | None
    amount: Decimal | None
    currency: str
    close_date: date | None
    source: str | None
    notes: str | None
    campaign_id: str | None


class DeletedDeal(NamedTuple):
    """A deal that is being restored, with the rank on top of its column, which is locked too."""

    stage_id: uuid.UUID
    top: str | None


async def create(
    work: UnitOfWork,
    *,
    default_currency: str,
    occurred_at: datetime | None = None,
    **values: Any,
) -> uuid.UUID:
    """Create a deal from column values, on top of its column; only `title` is required. Returns its id.

    It starts in the first open stage of the default pipeline, belongs to the salesperson who creates it, else to
    its contact's owner, else to the admin, and takes its company from the contact. Raises NotFound, ValidationFailed
    or Forbidden naming the field.
    """
    work.principal.must_write()
    asked = {name: value for name, value in values.items() if value is not None}
    currency = asked.get("currency", default_currency)
    _check(asked, asked.get("amount"), currency)
    references.check_new_owner(work.principal, asked)
    at, id_ = occurred_at or work.now, uuid.uuid4()
    stage = await _start(work, id_, asked)
    deal = {name: asked.get(name) for name in _EDITED} | {
        "id": id_,
        "currency": currency,
        "company_id": asked.get("company_id", stage.ref_contact_company_id),
        "owner_id": asked.get("owner_id", _owner(work.principal, stage)),
        "pipeline_id": stage.pipeline_id,
        "stage_id": stage.id,
        "status": DealStatus(stage.kind),
        "rank": await ranks.rank(work, stage.id, id_, stage.top),
        "now": work.now,
    }
    told = entry(work.principal, id_, f"Deal created in {stage.name}", at, {"to_stage": stage.key})
    await _CREATE.run(work.transaction, **deal, **creation_values(work.principal, id_, stage.id, at), **told)
    return id_


async def edit(
    work: UnitOfWork,
    *,
    deal_id: uuid.UUID,
    expected_version: int | None = None,
    **changes: Any,
) -> uuid.UUID:
    """Change columns of a deal (not its stage) and leave an entry with the old and new values.

    Raises NotFound, ValidationFailed, VersionConflict or Forbidden naming the field; then nothing was changed.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    for name in ("title", "currency"):
        if name in changes and changes[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    _check(changes, changes.get("amount", deal.amount), changes.get("currency", deal.currency))
    changed = activities.differences(deal, changes)
    await references.check(work, changed)
    await _change(work, deal, changed)
    return deal_id


async def claim(work: UnitOfWork, *, deal_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Take a deal out of the unassigned pool; of two who try, one gets it. To have it already is success.

    Raises Conflict when it is somebody else's, which only an admin can see.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    if deal.owner_id not in (None, work.principal.owner_id):
        raise Conflict("the deal is not in the unassigned pool; assignDeal gives it to another owner", field="deal_id")
    await _change(work, deal, activities.differences(deal, {"owner_id": work.principal.owner_id}))
    return deal_id


async def delete(work: UnitOfWork, *, deal_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Hide a deal from every list, count and report; `restore` brings it back as it was."""
    await _LOCK.one(work, deal_id, expected_version)
    await _DELETE.run(
        work.transaction, id=deal_id, now=work.now, **entry(work.principal, deal_id, "Deal deleted", work.now, {})
    )
    return deal_id


async def restore(work: UnitOfWork, *, deal_id: uuid.UUID) -> uuid.UUID:
    """Bring a deleted deal back, on top of its column; one that is not deleted stays as it is. Raises NotFound."""
    deal = await _LOCK_DELETED.one_or_none(work, deal_id)
    if deal is None:
        await _LOCK.one(work, deal_id)
        return deal_id
    found = await ranks.rank(work, deal.stage_id, deal_id, deal.top)
    told = entry(work.principal, deal_id, "Deal restored", work.now, {})
    await _RESTORE.run(work.transaction, id=deal_id, rank=found, now=work.now, **told)
    return deal_id


async def lock_newest_open(transaction: Transaction, contact_id: uuid.UUID) -> Any | None:
    """The contact's newest open deal, locked. For events: it sees every owner's deals."""
    return await _NEWEST_OPEN.one(transaction, contact_id=contact_id)


async def are_all_won(transaction: Transaction, contact_id: uuid.UUID) -> bool:
    """Whether the contact has deals and every one is won: a customer, for whom events open no new deal."""
    found = await _ALL_WON.one(transaction, contact_id=contact_id)
    return bool(found and found.all_won)


def _check(values: Mapping[str, Any], amount: Any, currency: str) -> None:
    """Refuse values that a deal of this amount and currency may not take."""
    for name in ("title", "source", "campaign_id", "notes"):
        if values.get(name) is not None:
            check_text(values[name], field=name, max_length=TEXT_MAX if name == "notes" else 500)
    if "title" in values and not (values["title"] or "").strip():
        raise ValidationFailed("title is empty", field="title")
    if "amount" in values or "currency" in values:
        check_money(amount, currency)


def _owner(principal: Principal, stage: Any) -> uuid.UUID | None:
    inherits = stage.ref_contact_id is not None and principal.role is not Role.SALES
    owner_id: uuid.UUID | None = stage.ref_contact_owner_id if inherits else principal.owner_id
    return owner_id


async def _start(work: UnitOfWork, deal_id: uuid.UUID, asked: Mapping[str, Any]) -> Any:
    """The stage that a new deal starts in, its column locked, with the rows that the deal refers to beside it."""
    pipeline_id, stage_id = asked.get("pipeline_id"), asked.get("stage_id")
    by = "stage" if stage_id is not None else "pipeline" if pipeline_id is not None else "default"
    parameters = references.parameters(asked)
    found = await _starting(work.principal.role, by).one(
        work.transaction,
        caller=work.principal.owner_id,
        id=deal_id,
        stage_id=stage_id,
        pipeline_id=pipeline_id,
        **parameters,
    )
    if found is None:
        name = "stage_id" if stage_id is not None else "pipeline_id"
        raise NotFound(f"{name[:-3]} not found, or without an open stage", field=name)
    if pipeline_id is not None and found.pipeline_id != pipeline_id:
        raise ValidationFailed("the stage belongs to another pipeline than pipelineId", field="stage_id")
    references.check_found(work.principal, asked, found)
    return found


async def _change(work: UnitOfWork, deal: LockedDeal, changed: Mapping[str, Any]) -> None:
    if not changed:
        return
    # Whatever an edit leaves alone is set to what it is: one statement, compiled once, for every edit.
    values = {name: changed.get(name, getattr(deal, name)) for name in _EDITED}
    content, meta = "Deal changed: " + ", ".join(changed), {"changes": activities.old_and_new(deal, changed)}
    edit = _HAND_OVER if changed.get("owner_id") else _EDIT
    await edit.run(
        work.transaction, id=deal.id, now=work.now, **values, **entry(work.principal, deal.id, content, work.now, meta)
    )


@cache
def _starting(role: Role, by: str) -> Statement:
    def make() -> Any:
        stages, pipelines = table(PipelineStage), table(Pipeline)
        open_stages = select(stages).where(stages.c.deleted_at.is_(None))
        if by == "stage":
            found = open_stages.where(stages.c.id == param(PipelineStage, "id", "stage_id"))
        else:
            pipeline: Any = param(Pipeline, "id", "pipeline_id")
            if by == "default":
                pipeline = select(pipelines.c.id).where(pipelines.c.is_default).scalar_subquery()
            found = open_stages.where(stages.c.pipeline_id == pipeline, stages.c.kind == StageKind.OPEN)
        stage = found.order_by(stages.c.order_index).limit(1).subquery("stage")
        rows, columns = references.joined(Principal(None, role), stage)
        top = ranks.locked_top(stage.c.id, param(Deal, "id")).label("top")
        return select(stage, *columns, top).select_from(rows)

    return Statement(make)


def _read_deleted(deal: CTE) -> Select[Any]:
    return select(deal.c.stage_id, ranks.locked_top(deal.c.stage_id, deal.c.id).label("top"))


def _created() -> Any:
    names = ("id", *_EDITED, "pipeline_id", "stage_id", "status", "rank")
    values: dict[str, Any] = {name: param(Deal, name) for name in names}
    values |= {name: param(Deal, name, "now") for name in ("created_at", "updated_at")} | {"version": 1}
    return combined(insert(table(Deal)).values(values), creation(), activities.insert_entry())


def _handed_over() -> Any:
    its_tasks = tasks.reassign_open_tasks(table(Activity).c.deal_id == param(Deal, "id"), param(Deal, "owner_id"))
    return activities.update_with_entry(Deal, *_EDITED, also=[its_tasks])


def _newest() -> Any:
    deals = table(Deal)
    is_open = and_(deals.c.status == DealStatus.OPEN, deals.c.deleted_at.is_(None))
    theirs = select(deals).where(deals.c.contact_id == param(Deal, "contact_id"), is_open)
    return theirs.order_by(deals.c.created_at.desc(), deals.c.id.desc()).limit(1).with_for_update(key_share=True)


def _all_won() -> Any:
    deals = table(Deal)
    theirs = and_(deals.c.contact_id == param(Deal, "contact_id"), deals.c.deleted_at.is_(None))
    return select(func.bool_and(deals.c.status == DealStatus.WON).label("all_won")).where(theirs)


_LOCK = RowLock(LockedDeal, Deal, "deal")
_LOCK_DELETED = RowLock(DeletedDeal, Deal, "deal", rule=restorable, read=_read_deleted)
_CREATE = Statement(_created)
_EDIT = Statement(lambda: activities.update_with_entry(Deal, *_EDITED))
_HAND_OVER = Statement(_handed_over)
_DELETE = Statement(lambda: activities.update_with_entry(Deal, deleted_at=param(Deal, "deleted_at", "now")))
_RESTORE = Statement(lambda: activities.update_with_entry(Deal, "rank", deleted_at=null()))
_NEWEST_OPEN = Statement(_newest)
_ALL_WON = Statement(_all_won)
