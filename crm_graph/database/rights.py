"""Roles and rights of a migrated database, repaired where a restore left them out (`pg_restore --no-acl`)."""

import re

import psycopg
from sqlalchemy import Connection

from crm_graph.database import sql_files

_RIGHT = re.compile(r"^(?:GRANT|REVOKE) .*;$", re.MULTILINE)
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname IN ('app_admin', 'app_user', 'readonly')"


def repair(connection: Connection) -> list[str]:
    """Give the roles the rights that `sql/` defines, in one transaction; returns what was repaired, for people.

    Rights of other roles stay. Raises psycopg.Error when the connection's user may not: it must own the schema and, to
    create a role, have CREATEROLE.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.transaction():
        before, roles = _rights(driver), _roles(driver)
        for statement in _statements():
            driver.execute(statement.encode())
        after, created = _rights(driver), sorted(_roles(driver) - roles)
        changed = sorted(name for name in after if after[name] != before.get(name))
        if not created and not changed:
            raise psycopg.Rollback  # otherwise each run would rewrite the catalogue, and every session read it again
    repaired = [f"created the role {name}: it has no password yet" for name in created]
    return repaired + ([f"repaired the rights on {_shortened(changed)}"] if changed else [])


def _statements() -> list[str]:
    """Roles first, then the rights on all tables, then those that are written beside a function or view."""
    beside = [right for name in sql_files.definitions() for right in _RIGHT.findall(sql_files.read_sql(name))]
    return [sql_files.read_sql("rights/roles.sql"), sql_files.read_sql("rights/tables.sql"), *beside]


def _rights(driver: psycopg.Connection) -> dict[str, str]:
    return dict(driver.execute(sql_files.read_sql("queries/rights.sql").encode()).fetchall())


def _roles(driver: psycopg.Connection) -> set[str]:
    return {name for (name,) in driver.execute(_ROLES)}


def _shortened(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
