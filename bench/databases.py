"""The benchmarks' own PostgreSQL and its databases, made once per data set and kept outside the checkout."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from bench import seed
from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from crm_graph.embedded.runner import find_programs, locate

ROOT = Path(__file__).parent.parent
PREFIX, DRAFT, WRITTEN = "bench_", "_new", "_written"
USER = "app_user"  # every contestant connects as the server does in production


def bench_dir() -> Path:
    """Where the databases lie; BENCH_DIR overrides."""
    return Path(os.environ.get("BENCH_DIR") or Path.home() / ".cache" / "crm-graph" / "bench")


@dataclass(frozen=True, slots=True)
class Database:
    """A seeded database."""

    postgres: EmbeddedPostgres
    name: str
    size: seed.Size

    @property
    def url(self) -> URL:
        """For SQLAlchemy, sync or async."""
        return self.postgres.url(USER, self.name)

    @property
    def conninfo(self) -> dict[str, Any]:
        """For psycopg, and (as PGHOST, PGPORT, ...) for every other client."""
        return self.postgres.conninfo(USER, self.name)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection in autocommit."""
        return psycopg.connect(**self.conninfo, autocommit=True)

    def environment(self) -> dict[str, str]:
        """What libpq and node-postgres read."""
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        return {variable: str(self.conninfo[name]) for name, variable in names.items()}


@contextmanager
def server() -> Iterator[EmbeddedPostgres]:
    """The benchmarks' PostgreSQL: the project's own embedded one, as it comes. For one run at a time: two would
    measure each other."""
    bench_dir().mkdir(parents=True, exist_ok=True)
    with (bench_dir() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another benchmark is running in {bench_dir()}") from None
        with EmbeddedPostgres(bench_dir() / "postgres") as postgres:
            yield postgres


def programs() -> Path:
    """The folder with pgbench."""
    data_dir = (bench_dir() / "postgres").resolve()
    _, runner = locate(data_dir)
    return find_programs(runner, data_dir)


def database(postgres: EmbeddedPostgres, deals: int) -> Database:
    """The database of that many deals; made now if it is not there, or made by other code."""
    key = _key()
    name = f"{PREFIX}{key}_{deals}"
    with psycopg.connect(**postgres.conninfo("postgres", "postgres"), autocommit=True) as admin:
        present = [
            row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        ]
        for other in present:
            if not other.startswith(f"{PREFIX}{key}_") or other.endswith((DRAFT, WRITTEN)):
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(other)))
        if name not in present:
            _make(admin, postgres, name, seed.Size(deals))
    return Database(postgres, name, seed.Size(deals))


@contextmanager
def copied(database: Database) -> Iterator[Database]:
    """A copy for those who write, dropped when the block ends: whoever reads finds the same rows in every run."""
    name = f"{database.name}{WRITTEN}"
    maintenance = database.postgres.conninfo("postgres", "postgres")
    with psycopg.connect(**maintenance, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        admin.execute(drop)
        make = sql.SQL("CREATE DATABASE {} OWNER app_admin TEMPLATE {} STRATEGY file_copy")
        admin.execute(make.format(sql.Identifier(name), sql.Identifier(database.name)))
        try:
            yield Database(database.postgres, name, database.size)
        finally:
            admin.execute(drop)


def _make(admin: psycopg.Connection[Any], postgres: EmbeddedPostgres, name: str, size: seed.Size) -> None:
    """Under another name until it is whole, so that an interrupted seeding is never measured."""
    draft = f"{name}{DRAFT}"
    started = time.monotonic()
    print(f"seeding {size.deals:,} deals of {size.owners:,} owners ...", flush=True)
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER app_admin TEMPLATE template0 STRATEGY file_copy").format(
            sql.Identifier(draft)
        )
    )
    migrate(postgres.url("app_admin", draft))
    # As a superuser: VACUUM reaches the catalogue, too. Durability can wait for the checkpoint at the end.
    with psycopg.connect(**postgres.conninfo("postgres", draft), options="-c synchronous_commit=off") as connection:
        seed.seed(connection, size)
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    print(f"seeded in {time.monotonic() - started:.0f} s", flush=True)


def _key() -> str:
    """Of the code that makes the data: a database that other code made is another database."""
    sources = [Path(seed.__file__), *sorted((ROOT / "alembic" / "versions").glob("*.py"))]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:10]
