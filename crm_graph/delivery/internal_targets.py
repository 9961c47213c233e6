"""Who may have events sent to the networks of OUTBOUND_ALLOWED_NETWORKS, and read what is answered there: admins.

A salesperson could otherwise call an internal service, and read its answer in the list of attempts.
"""

from sqlalchemy import case

from crm_graph.egress.client import CheckedUrl
from crm_graph.egress.networks import PUBLIC_ONLY, SETTING, Networks
from crm_graph.errors import ValidationFailed
from crm_graph.models import Expression, Relation, Role


def reachable(networks: Networks, role: Role) -> Networks:
    """The networks that an endpoint may reach besides public addresses, by its owner's present role."""
    return networks if role is Role.ADMIN else PUBLIC_ONLY


def check(checked: CheckedUrl, owner_role: Role) -> str:
    """The URL, if an endpoint of an owner with this role may have it. Raises ValidationFailed with field `url`."""
    if checked.is_internal and owner_role is not Role.ADMIN:
        message = (
            f"url can't be called: the networks of {SETTING} are for endpoints of admins; use a public https:// URL"
        )
        raise ValidationFailed(message, field="url")
    return checked.url


def answered(attempts: Relation, column: str, role: Role) -> Expression:
    """A column of an endpoint's answer as `role` may read it: null to a non-admin when the answer came from inside.

    `is_internal` is null for attempts of versions that did not record it; those count as internal.
    """
    answer: Expression = attempts.c[column]
    if role is Role.ADMIN:
        return answer
    return case((attempts.c.is_internal.is_(False), answer))
