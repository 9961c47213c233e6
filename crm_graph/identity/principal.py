"""Principal: on whose behalf something is done."""

import uuid
from dataclasses import dataclass

from crm_graph.errors import Forbidden
from crm_graph.models.enums import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf something is done: an owner or, without `owner_id`, a provider."""

    owner_id: uuid.UUID | None
    role: Role
    source: str = "graphql"

    def must_write(self) -> None:
        """Raises Forbidden for a role that only reads."""
        if self.role is Role.READONLY:
            raise Forbidden("the role readonly may not change anything")

    def must_be_admin(self) -> None:
        """Raises Forbidden for anyone but an admin."""
        if self.role is not Role.ADMIN:
            raise Forbidden("only an admin may do this")


def machine(source: str) -> Principal:
    """The principal of a provider's events. It sees every row, and what it does never counts as a person's choice."""
    return Principal(owner_id=None, role=Role.ADMIN, source=source)
