"""The error of the embedded PostgreSQL."""

from crm_graph.errors import SetupError


class EmbeddedError(SetupError):
    """The embedded PostgreSQL can't run until the operator changes something; the message says what."""
