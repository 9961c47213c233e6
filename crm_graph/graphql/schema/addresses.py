"""The addresses of a contact as one list."""

from sqlalchemy import Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.models.columns import AnySelect


def all_addresses(site: FieldSite) -> AnySelect:
    """The primary address of the parent, a contact, and its further ones in alphabetical order, as JSON."""
    further = func.array_agg(aggregate_order_by(site.rows.c.email, site.rows.c.email))
    none = cast(literal_column("'{}'"), ARRAY(Text))
    addresses = func.array_prepend(site.parent.c.email, func.coalesce(further, none))
    return select(func.to_json(addresses)).where(site.rows.c.contact_id == site.parent.c.id)
