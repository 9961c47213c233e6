"""What is raised when the embedded PostgreSQL can't run."""

from crm_graph.errors import SetupError


class EmbeddedError(SetupError):
    """The embedded PostgreSQL can't run until the operator changes something."""
