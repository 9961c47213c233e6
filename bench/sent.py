"""The SQL that crm-graph sends for a document, for pgbench and EXPLAIN."""

import uuid
from typing import Any

from crm_graph.models import Role


def sent_sql(document: str, variables: dict[str, Any], owner_id: uuid.UUID, role: Role) -> str:
    """The one statement that answers `document` for this caller, its parameters written into it as constants."""
    raise NotImplementedError("sent_sql waits for the compiler's new interface")
