"""Which versions of PostgreSQL crm-graph runs on."""

from sqlalchemy.engine import URL, Dialect

from crm_graph.database.engine import place
from crm_graph.errors import SetupError

OLDEST = 15  # the first with UNIQUE NULLS NOT DISTINCT, which the verdicts on replies need


def check_server_version(dialect: Dialect, url: URL) -> None:
    """Raises SetupError when the server that a connection with this dialect was made to is too old."""
    version: tuple[int, ...] = getattr(dialect, "server_version_info", None) or (OLDEST,)
    if version < (OLDEST,):
        is_now = ".".join(map(str, version))
        raise SetupError(
            f"the database {place(url)} is on PostgreSQL {is_now}; crm-graph needs PostgreSQL {OLDEST} or newer"
        )
