"""Deals: creating, editing, deleting and restoring them. `moves` takes them through their stages."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Executable, insert, null, select

from crm_graph.database.statements import Query, Statement, combined, param
from crm_graph.domain import references
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.stage_history import deal_entry_params, first_move_params, insert_first_move
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import must_own, restorable
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, Deal, DealStatus, Pipeline, PipelineStage, Role, StageKind, table
from crm_graph.values import TEXT_MAX, check_line, check_money, check_text


class LockedDeal(NamedTuple):
    """A locked deal: its EDITABLE columns, and what identifies it."""

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
    """A locked deal that is deleted, with the rank on top of its column, which is locked too."""

    stage_id: uuid.UUID
    top: str | None


class StartingStage(NamedTuple):
    """The stage that a new deal starts in, the rank on top of its locked column, and the rows that the deal names."""

    id: uuid.UUID
    pipeline_id: uuid.UUID
    key: str
    name: str
    kind: str
    top: str | None
    ref_contact_id: uuid.UUID | None
    ref_contact_owner_id: uuid.UUID | None
    ref_contact_company_id: uuid.UUID | None
    ref_company_id: uuid.UUID | None
    ref_owner_id: uuid.UUID | None


@dataclass(frozen=True)
class NewDeal:
    """What a new deal is made of; None stands for the default that `create` gives."""

    title: str
    contact_id: uuid.UUID | None = None
    company_id: uuid.UUID | None = None
    pipeline_id: uuid.UUID | None = None
    stage_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None
    amount: Decimal | None = None
    currency: str | None = None
    close_date: date | None = None
    source: str | None = None
    notes: str | None = None
    campaign_id: str | None = None


async def create(
    work: UnitOfWork, new: NewDeal, *, default_currency: str, occurred_at: datetime | None = None
) -> uuid.UUID:
    """Create a deal on top of its column. Returns its id.

    By default it starts in the first open stage of the default pipeline and has its contact's company. Its owner is the
    salesperson who creates it; if an admin does, it is the contact's owner, or without a contact the admin. Raises
    NotFound, ValidationFailed or Forbidden naming the field.
    """
    work.principal.must_write()
    asked = {name: value for name, value in vars(new).items() if value is not None}
    currency = default_currency if new.currency is None else new.currency
    _check(asked, asked.get("amount"), currency)
    references.check_new_owner(work.principal, asked)
    at, id_ = occurred_at or work.now, uuid.uuid4()
    stage = await _lock_starting_stage(work, id_, asked)
    deal = {name: asked.get(name) for name in Deal.EDITABLE} | {
        "id": id_,
        "currency": currency,
        "company_id": asked.get("company_id", stage.ref_contact_company_id),
        "owner_id": asked.get("owner_id", _default_owner_id(work.principal, stage)),
        "pipeline_id": stage.pipeline_id,
        "stage_id": stage.id,
        "status": DealStatus(stage.kind),
        "rank": await ranks.rank_at(work, stage.id, id_, stage.top),
        "now": work.now,
    }
    entry = deal_entry_params(work, id_, f"Deal created in {stage.name}", {"to_stage": stage.key}, at=at)
    await _INSERT.run(work.transaction, **deal, **first_move_params(work, id_, stage.id, at), **entry)
    return id_


async def edit(
    work: UnitOfWork, *, deal_id: uuid.UUID, changes: Mapping[str, Any], expected_version: int | None = None
) -> uuid.UUID:
    """Change columns of a deal (not its stage), with an entry that has the old and new values.

    Raises NotFound, ValidationFailed, VersionConflict or Forbidden naming the field; then nothing was changed.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    if "owner_id" in changes:
        must_own(work.principal, deal.owner_id, field="owner_id")
    for name in ("title", "currency"):
        if name in changes and changes[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    _check(changes, changes.get("amount", deal.amount), changes.get("currency", deal.currency))
    new = activities.differences(deal, changes)
    await references.check(work, new)
    await _update(work, deal, new)
    return deal_id


async def claim(work: UnitOfWork, *, deal_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Take a deal out of the unassigned pool; if two owners try, one of them gets it. Already the caller's: succeeds.

    Raises Conflict when it is somebody else's, which only an admin can see.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    if deal.owner_id not in (None, work.principal.owner_id):
        raise Conflict("the deal is not in the unassigned pool; assignDeal gives it to another owner", field="deal_id")
    await _update(work, deal, activities.differences(deal, {"owner_id": work.principal.owner_id}))
    return deal_id


async def delete(work: UnitOfWork, *, deal_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Hide a deal from all lists, counts and reports; `restore` brings it back as it was.

    Raises NotFound, VersionConflict, or Forbidden for a member.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    must_own(work.principal, deal.owner_id, field="deal_id")
    await _DELETE.run(work.transaction, id=deal_id, now=work.now, **deal_entry_params(work, deal_id, "Deal deleted"))
    return deal_id


async def restore(work: UnitOfWork, *, deal_id: uuid.UUID) -> uuid.UUID:
    """Bring a deleted deal back, on top of its column; one that is not deleted stays as it is.

    Raises NotFound, or Forbidden for a member.
    """
    deal = await _LOCK_DELETED.one_or_none(work, deal_id)
    if deal is None:
        present = await _LOCK.one(work, deal_id)
        must_own(work.principal, present.owner_id, field="deal_id")
        return deal_id
    rank = await ranks.rank_at(work, deal.stage_id, deal_id, deal.top)
    entry = deal_entry_params(work, deal_id, "Deal restored")
    await _RESTORE.run(work.transaction, id=deal_id, rank=rank, now=work.now, **entry)
    return deal_id


def _check(values: Mapping[str, Any], amount: Any, currency: str) -> None:
    """Refuse values that a deal with this amount and currency may not have."""
    for name in ("title", "source", "campaign_id"):
        if values.get(name) is not None:
            check_line(values[name], field=name)
    if values.get("notes") is not None:
        check_text(values["notes"], field="notes", max_length=TEXT_MAX)
    if "title" in values and not (values["title"] or "").strip():
        raise ValidationFailed("title is empty", field="title")
    if "amount" in values or "currency" in values:
        check_money(amount, currency)


def _default_owner_id(principal: Principal, stage: StartingStage) -> uuid.UUID | None:
    is_inherited = stage.ref_contact_id is not None and principal.role is not Role.SALES
    return stage.ref_contact_owner_id if is_inherited else principal.owner_id


async def _lock_starting_stage(work: UnitOfWork, deal_id: uuid.UUID, asked: Mapping[str, Any]) -> StartingStage:
    """Find the stage that a new deal starts in, and lock its column."""
    pipeline_id, stage_id = asked.get("pipeline_id"), asked.get("stage_id")
    by = "stage" if stage_id is not None else "pipeline" if pipeline_id is not None else "default"
    stage = await _find_starting_stage(work.principal.role, by).one(
        work.transaction,
        caller=work.principal.owner_id,
        id=deal_id,
        stage_id=stage_id,
        pipeline_id=pipeline_id,
        **references.params(asked),
    )
    if stage is None:
        name = "stage_id" if stage_id is not None else "pipeline_id"
        problem = "stage not found" if name == "stage_id" else "pipeline not found, or it has no open stage"
        raise NotFound(problem, field=name)
    if pipeline_id is not None and stage.pipeline_id != pipeline_id:
        raise ValidationFailed("the stage belongs to a different pipeline than pipelineId", field="stage_id")
    references.check_found(work.principal, asked, stage)
    return stage


async def _update(work: UnitOfWork, deal: LockedDeal, new: Mapping[str, object]) -> None:
    if not new:
        return
    values = activities.with_changes(deal, Deal.EDITABLE, new)
    content, meta = "Deal changed: " + ", ".join(new), {"changes": activities.old_and_new(deal, new)}
    statement = _UPDATE_WITH_TASKS if new.get("owner_id") else _UPDATE
    await statement.run(
        work.transaction, id=deal.id, now=work.now, **values, **deal_entry_params(work, deal.id, content, meta)
    )


@cache
def _find_starting_stage(role: Role, by: str) -> Query[StartingStage]:
    def make() -> Executable:
        stages, pipelines = table(PipelineStage), table(Pipeline)
        live = select(stages).where(stages.c.deleted_at.is_(None))
        if by == "stage":
            found = live.where(stages.c.id == param(PipelineStage, "id", "stage_id"))
        else:
            given: ColumnElement[uuid.UUID] = param(Pipeline, "id", "pipeline_id")
            default = select(pipelines.c.id).where(pipelines.c.is_default).scalar_subquery()
            pipeline_id = default if by == "default" else given
            found = live.where(stages.c.pipeline_id == pipeline_id, stages.c.kind == StageKind.OPEN)
        stage = found.order_by(stages.c.order_index).limit(1).subquery("stage")
        rows, refs = references.join(Principal(None, role), stage)
        columns = [stage.c[name] for name in StartingStage._fields if name in stage.c]
        top = ranks.lock_column(stage.c.id, param(Deal, "id")).label("top")
        return select(*columns, top, *(ref for ref in refs if ref.name in StartingStage._fields)).select_from(rows)

    return Query(StartingStage, make)


def _read_deleted(deal: CTE) -> Executable:
    return select(deal.c.stage_id, ranks.lock_column(deal.c.stage_id, deal.c.id).label("top"))


def _insert_deal() -> Executable:
    names = ("id", *Deal.EDITABLE, "pipeline_id", "stage_id", "status", "rank")
    values: dict[str, object] = {name: param(Deal, name) for name in names}
    values |= {name: param(Deal, name, "now") for name in ("created_at", "updated_at")} | {"version": 1}
    return combined(insert(table(Deal)).values(values), insert_first_move(), activities.insert_entry())


def _update_with_tasks() -> Executable:
    is_deals = table(Activity).c.deal_id == param(Deal, "id")
    reassign = tasks.reassign_open_tasks(is_deals, param(Deal, "owner_id"))
    return activities.update_with_entry(Deal, *Deal.EDITABLE, also=[reassign])


_LOCK = RowLock(LockedDeal, Deal, "deal")
_LOCK_DELETED = RowLock(DeletedDeal, Deal, "deal", rule=restorable, read=_read_deleted)
_INSERT = Statement(_insert_deal)
_UPDATE = Statement(lambda: activities.update_with_entry(Deal, *Deal.EDITABLE))
_UPDATE_WITH_TASKS = Statement(_update_with_tasks)  # for a new owner, who gets the deal's open tasks
_DELETE = Statement(lambda: activities.update_with_entry(Deal, deleted_at=param(Deal, "deleted_at", "now")))
_RESTORE = Statement(lambda: activities.update_with_entry(Deal, "rank", deleted_at=null()))
