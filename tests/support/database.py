"""Databases that a test may change or break: made empty, dropped afterwards, and what the catalogue says is in them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

CATALOGUE = {
    "columns": """
        SELECT attrelid::regclass || '.' || attname,
               format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                   || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
                   || coalesce(' COLLATE ' || collname, '')
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
    """,
    "constraints": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't'
    """,
    "indexes": """
        SELECT indrelid::regclass || '.' || indexrelid::regclass, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    """,
}


@contextmanager
def scratch_database(server: URL, locale: str = "C") -> Iterator[URL]:
    """An empty database on the server, as its superuser, where letters are what the locale says."""
    name = f"crm_scratch_{uuid.uuid4().hex[:12]}"
    maintenance = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE '{locale}'"
        connection.execute(made.encode())
    try:
        yield server.set(database=name)
    finally:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def catalogue(connection: Connection) -> dict[str, dict[str, str]]:
    """What a database consists of: the definition of each column, constraint and index; Alembic's own table aside."""
    found = {}
    for kind, query in CATALOGUE.items():
        rows = connection.execute(text(query))
        found[kind] = {name: definition for name, definition in rows if not name.startswith("alembic_version.")}
    return found
