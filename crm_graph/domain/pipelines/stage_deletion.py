"""Deleting a stage: it disappears from the board, its deals move to another stage, and their history still names it."""

import uuid

from sqlalchemy import Boolean, Executable, Uuid, bindparam, case, func, literal, select, true, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param_row
from crm_graph.domain import config_lock
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.ranks import lock_column
from crm_graph.domain.deals.stage_history import MOVE_TYPES, insert_moves, mover_params
from crm_graph.domain.pipelines import stages
from crm_graph.domain.pipelines.stages import StageRow
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.models import Deal, DealStatus, PipelineStage, StageKind, table

DEALS_MAX = 10_000  # of one stage: they move in one transaction, which may last some seconds


async def delete(work: UnitOfWork, *, stage_id: uuid.UUID, target_stage_id: uuid.UUID | None = None) -> int:
    """Delete a stage; its deals go to the top of the target's column, in their order. Returns how many there were.

    Raises NotFound or ValidationFailed naming the field. Raises Conflict when the stage has deals (deleted ones count,
    because they can be restored) and no target is given, when it has more than DEALS_MAX, and when it is the
    pipeline's last open stage.
    """
    await config_lock.begin(work)
    stage = await stages.get(work.transaction, stage_id)
    await stages.check_open_is_left(work.transaction, stage, field="stage_id")
    target = await _get_target(work.transaction, stage, target_stage_id)
    deal_ids = await _lock_deals(work.transaction, stage_id)
    is_this = table(PipelineStage).c.id == stage_id
    if len(deal_ids) > DEALS_MAX or (deal_ids and target is None):
        count = await stages.count_deals(work.transaction, is_this)
        raise _refusal(count, has_target=target is not None)
    if target is not None and deal_ids:
        await _move(work, stage, target, deal_ids)
    await work.transaction.execute(update(table(PipelineStage)).where(is_this).values(deleted_at=work.now))
    return len(deal_ids)


async def _get_target(transaction: Transaction, stage: StageRow, target_stage_id: uuid.UUID | None) -> StageRow | None:
    if target_stage_id is None:
        return None
    target = await stages.get(transaction, target_stage_id, "target_stage_id")
    if target.id == stage.id or target.pipeline_id != stage.pipeline_id:
        raise ValidationFailed("the deals must go to another stage of the same pipeline", field="target_stage_id")
    return target


def _refusal(count: int, *, has_target: bool) -> Conflict:
    if has_target:
        field = "stage_id"
        message = f"{count} deals are in the stage; at most {DEALS_MAX} move with it: move some of them first"
    else:
        field = "target_stage_id"
        message = f"{count} deals, deleted ones included, are in the stage: name the stage that they go to"
    return Conflict(message, field=field, details={"dealCount": count})


async def _lock_deals(transaction: Transaction, stage_id: uuid.UUID) -> list[uuid.UUID]:
    """Lock a stage's deals and its column, so that no others can come in; returns the deals in their order.

    At most DEALS_MAX + 1: one more than can be moved.
    """
    deals = table(Deal)
    is_here = deals.c.stage_id == stage_id
    found = select(deals.c.id, deals.c.rank).where(is_here).order_by(deals.c.id).limit(DEALS_MAX + 1)
    locked = found.with_for_update(key_share=True).cte("locked")
    # Deals are locked before their column, as everywhere. The second look finds those that came in between the two.
    count = select(func.count().label("deals")).select_from(locked).subquery("count")
    await transaction.execute(select(count.c.deals, lock_column(literal(stage_id, Uuid))))
    return list(await transaction.scalars(select(locked.c.id).order_by(locked.c.rank, locked.c.id)))


async def _move(work: UnitOfWork, stage: StageRow, target: StageRow, deal_ids: list[uuid.UUID]) -> None:
    """Move locked deals, with their history and entries, in one statement however many they are."""
    rank_of = await ranks.ranks_on_top(work.transaction, {target.id: deal_ids})
    entry = activities.entry_params(
        work,
        content=f"{stage.name} -> {target.name}, because the stage was deleted",
        meta={"from_stage": stage.key, "to_stage": target.key},
    )
    await _MOVE_DEALS.run(
        work.transaction,
        ids=deal_ids,
        ranks=[rank_of[deal_id] for deal_id in deal_ids],
        from_stage_id=stage.id,
        stage_id=target.id,
        status=DealStatus(target.kind),
        is_lost=target.kind == StageKind.LOST,
        moved_at=work.now,
        updated_at=work.now,
        **mover_params(work),
        **entry,
    )


def _move_deals() -> Executable:
    """The moves of the deals `ids` to these `ranks`; parameters that are not computed here are the same for each."""
    deals = table(Deal)
    placed = ranks.ids_with_ranks()
    is_lost = bindparam("_is_lost", type_=Boolean, required=True)
    computed = {
        "id": deals.c.id,
        "rank": placed.c.rank,
        "lost_reason": case((is_lost, deals.c.lost_reason)),
        "entry_id": func.gen_random_uuid(),
        "entry_deal_id": deals.c.id,
    }
    same = param_row({name: type_ for name, type_ in MOVE_TYPES.items() if name not in computed})
    columns = [computed[name].label(name) if name in computed else same.c[name] for name in MOVE_TYPES]
    rows = placed.join(deals, deals.c.id == placed.c.id).join(same, true())
    return insert_moves(select(*columns).select_from(rows).cte("moves"))


_MOVE_DEALS = Statement(_move_deals)
