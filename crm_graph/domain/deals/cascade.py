"""Holdings: the deals of contacts, changed together; locked in one order, each with an entry on its own timeline."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.statements import param
from crm_graph.domain.timeline import activities
from crm_graph.models import Activity, Deal, table


def lock_deals(*conditions: ColumnElement[bool]) -> CTE:
    """The ids of the deals that meet the conditions, locked in one order: two calls never wait for each other."""
    deals = table(Deal)
    return select(deals.c.id).where(*conditions).order_by(deals.c.id).with_for_update(key_share=True).cte("held")


def update_deals(held: FromClause, **values: Any) -> Update:
    """The edit of locked deals; run with `now`."""
    deals = table(Deal)
    edited = {"version": deals.c.version + 1, "updated_at": param(Deal, "updated_at", "now")}
    return update(deals).where(deals.c.id.in_(select(held.c.id))).values(edited | values)


def insert_deal_entries(held: FromClause, content: str) -> Insert:
    """An entry for each of the deals; run with `deal_meta` and the `entry_params` of whatever changed them.

    On the deals' timelines alone: whoever sees the contact may not see its deals.
    """
    return activities.insert_entry(
        held,
        id=func.gen_random_uuid(),
        contact_id=null(),
        deal_id=held.c.id,
        content=literal(content),
        meta_json=param(Activity, "meta_json", "deal_meta"),
    )
