"""URLs of databases: read as SQLAlchemy needs them, and refused where a password was not encoded."""

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

URL_FORM = "postgresql://user:password@host:5432/crm"
_ENCODING = (
    "a password in it is URL-encoded: write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25; "
    f"expected {URL_FORM}"
)


def checked(value: SecretStr) -> SecretStr:
    """The same value. Raises ValueError if it is not the URL of a PostgreSQL database."""
    postgres_url(value)
    return value


def postgres_url(value: SecretStr) -> URL:
    """The URL for psycopg. Raises ValueError with a message that has no part of it, because hosts may be passwords."""
    text = value.get_secret_value()
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ValueError(f"is not a URL; expected {URL_FORM}")
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("must start with postgresql://: crm-graph runs on PostgreSQL only")
    user, *others = rest.split("@")
    # What follows the first of these would be read as host, path, query or fragment, by us or by psql.
    if len(others) > 1 or (others and set("/?#") & set(user)):
        raise ValueError(f"can't be read; {_ENCODING}")
    try:
        return make_url(text).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise ValueError(f"can't be read; {_ENCODING}") from None
