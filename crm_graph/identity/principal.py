"""Principal: on whose behalf something happens."""

import uuid
from dataclasses import dataclass

from crm_graph.errors import Forbidden
from crm_graph.models.enums import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf something happens: an owner, or (without owner_id) a provider's event."""

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
    """The principal of what a provider sends; it sees every row, and nothing it does counts as a person's choice."""
    return Principal(owner_id=None, role=Role.ADMIN, source=source)
