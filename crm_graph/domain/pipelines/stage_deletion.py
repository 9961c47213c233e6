"""How a stage is deleted: it disappears from the board, its deals move on, and their history still names it."""

import uuid
from typing import Any

from sqlalchemy import ARRAY, Boolean, Text, Uuid, bindparam, case, column, func, literal, select, true, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, id_list, param_row
from crm_graph.domain import config_lock
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.ranks import column_lock
from crm_graph.domain.deals.stage_history import MOVED, moves
from crm_graph.domain.pipelines import stages
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.models import ActivityType, Deal, DealStatus, PipelineStage, StageKind, table

DEALS_MAX = 10_000  # of one stage: they move in one transaction, which lasts seconds at most


async def delete(work: UnitOfWork, *, stage_id: uuid.UUID, target_stage_id: uuid.UUID | None = None) -> int:
    """Delete a stage; its deals go to the top of the target's column, in the order that they have. Returns how many.

    Raises NotFound or ValidationFailed naming the field, and Conflict when deals are in it (deleted ones count, because
    they can be restored) and no target is given, or more than DEALS_MAX, or when it is the pipeline's last open one.
    """
    await config_lock.begin(work)
    stage = await stages.find(work.transaction, stage_id)
    await stages.check_open_is_left(work.transaction, stage, field="stage_id")
    target = await _target(work.transaction, stage, target_stage_id)
    found = await _hold(work.transaction, stage_id)
    is_this = table(PipelineStage).c.id == stage_id
    if len(found) > DEALS_MAX or (found and target is None):
        raise _refusal(await stages.deal_count(work.transaction, is_this), has_target=target is not None)
    if found:
        await _move(work, stage, target, found)
    await work.transaction.execute(update(table(PipelineStage)).where(is_this).values(deleted_at=work.now))
    return len(found)


async def _target(transaction: Transaction, stage: Any, target_stage_id: uuid.UUID | None) -> Any:
    if target_stage_id is None:
        return None
    target = await stages.find(transaction, target_stage_id, "target_stage_id")
    if target.id == stage.id or target.pipeline_id != stage.pipeline_id:
        raise ValidationFailed("the deals go to another stage of the same pipeline", field="target_stage_id")
    return target


def _refusal(count: int, *, has_target: bool) -> Conflict:
    if has_target:
        field = "stage_id"
        message = f"{count} deals are in the stage; at most {DEALS_MAX} move with it: move some of them before"
    else:
        field = "target_stage_id"
        message = f"{count} deals, deleted ones included, are in the stage: name the stage that they go to"
    return Conflict(message, field=field, details={"dealCount": count})


async def _hold(transaction: Transaction, stage_id: uuid.UUID) -> list[uuid.UUID]:
    """The deals of a stage in their order, as far as they can be moved and one more; they are locked, and no other one
    can come in any more."""
    deals = table(Deal)
    here = select(deals.c.id, deals.c.rank).where(deals.c.stage_id == stage_id)
    held = here.order_by(deals.c.id).limit(DEALS_MAX + 1).with_for_update(key_share=True).cte("held")
    # Deals are locked before their column, as everywhere; then those that came in between the two.
    early = select(func.count().label("deals")).select_from(held).subquery("early")
    await transaction.execute(select(early.c.deals, column_lock(literal(stage_id, Uuid))))
    return list(await transaction.scalars(select(held.c.id).order_by(held.c.rank, held.c.id)))


async def _move(work: UnitOfWork, stage: Any, target: Any, found: list[uuid.UUID]) -> None:
    """Move deals that are locked, with their history and entries, in one statement however many they are."""
    await work.transaction.execute(select(column_lock(literal(target.id, Uuid))))
    told = activities.entry_params(
        work.principal,
        type=ActivityType.SYSTEM,
        content=f"{stage.name} -> {target.name}, because the stage was deleted",
        occurred_at=work.now,
        meta={"from_stage": stage.key, "to_stage": target.key},
    )
    await _MOVE.run(
        work.transaction,
        ids=found,
        ranks=await ranks.ranks(work.transaction, target.id, found),
        from_stage_id=stage.id,
        stage_id=target.id,
        status=DealStatus(target.kind),
        is_lost=target.kind is StageKind.LOST,
        moved_at=work.now,
        moved_by=work.principal.owner_id,
        source=work.principal.source,
        updated_at=work.now,
        **told,
    )


def _moved() -> Any:
    """The moves of the deals `ids` to these `ranks`; what is not computed here is the same for each."""
    deals = table(Deal)
    both = func.unnest(id_list("ids"), bindparam("_ranks", type_=ARRAY(Text), required=True))
    placed = both.table_valued(column("id", Uuid), column("rank", Text)).render_derived("placed")
    is_lost = bindparam("_is_lost", type_=Boolean, required=True)
    computed = {
        "id": deals.c.id,
        "rank": placed.c.rank,
        "lost_reason": case((is_lost, deals.c.lost_reason)),
        "entry_id": func.gen_random_uuid(),
        "entry_deal_id": deals.c.id,
    }
    same = param_row({name: type_ for name, type_ in MOVED.items() if name not in computed})
    columns = [computed[name].label(name) if name in computed else same.c[name] for name in MOVED]
    rows = placed.join(deals, deals.c.id == placed.c.id).join(same, true())
    return moves(select(*columns).select_from(rows).cte("moving"))


_MOVE = Statement(_moved)
