"""Changes of many deals that follow from a change of their contact, each with an entry on the deal's timeline."""

from sqlalchemy import CTE, ColumnElement, FromClause, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.statements import param
from crm_graph.domain.timeline import activities
from crm_graph.models import Activity, Deal, table


def lock_deals(*conditions: ColumnElement[bool]) -> CTE:
    """The ids of the deals that meet the conditions, locked in the order of ids, so that two calls can't deadlock."""
    deals = table(Deal)
    return (
        select(deals.c.id).where(*conditions).order_by(deals.c.id).with_for_update(key_share=True).cte("locked_deals")
    )


def update_deals(locked: FromClause, **values: object) -> Update:
    """The UPDATE of locked deals; run it with `now`."""
    deals = table(Deal)
    edited = {"version": deals.c.version + 1, "updated_at": param(Deal, "updated_at", "now")}
    return update(deals).where(deals.c.id.in_(select(locked.c.id))).values(edited | values)


def insert_deal_entries(locked: FromClause, content: str) -> Insert:
    """The INSERT of an entry for each of the deals; run it with `deal_meta` and the `entry_params` of the change.

    The entries are on the deals' timelines only: who sees the contact may not see its deals.
    """
    return activities.insert_entry(
        locked,
        id=func.gen_random_uuid(),
        contact_id=null(),
        deal_id=locked.c.id,
        content=literal(content),
        meta_json=param(Activity, "meta_json", "deal_meta"),
    )
