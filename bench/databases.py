"""The benchmarks' own PostgreSQL and its databases, created once per data set and kept outside the checkout."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from bench import seed
from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from crm_graph.embedded.cluster import ConnInfo
from crm_graph.embedded.runner import find_programs, locate

ROOT = Path(__file__).parent.parent
PREFIX, DRAFT, WRITTEN = "bench_", "_new", "_written"
USER = "app_user"  # every system connects as the server does in production


def bench_dir() -> Path:
    """The folder of the databases; BENCH_DIR overrides it."""
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
    def conninfo(self) -> ConnInfo:
        """For psycopg, and (as PGHOST, PGPORT, ...) for every other client."""
        return self.postgres.conninfo(USER, self.name)

    def connect(self) -> psycopg.Connection:
        """A connection in autocommit."""
        return psycopg.connect(**self.conninfo, autocommit=True)

    def environment(self) -> dict[str, str]:
        """The variables that libpq and node-postgres read."""
        place = self.conninfo
        return {
            "PGHOST": place["host"],
            "PGPORT": place["port"],
            "PGUSER": place["user"],
            "PGDATABASE": place["dbname"],
        }


@contextmanager
def server() -> Iterator[EmbeddedPostgres]:
    """The benchmarks' PostgreSQL: the embedded one with its usual settings. Exits if another benchmark is running."""
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
    """The database with that many deals. Creates it if it is missing or was created by other code."""
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
            _create(admin, postgres, name, seed.Size(deals))
    return Database(postgres, name, seed.Size(deals))


@contextmanager
def copied(database: Database) -> Iterator[Database]:
    """A copy for benchmarks that write, dropped when the block ends, so that reads find the same rows in every run."""
    name = f"{database.name}{WRITTEN}"
    maintenance = database.postgres.conninfo("postgres", "postgres")
    with psycopg.connect(**maintenance, autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        admin.execute(drop)
        create = sql.SQL("CREATE DATABASE {} OWNER app_admin TEMPLATE {} STRATEGY file_copy")
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(database.name)))
        try:
            yield Database(database.postgres, name, database.size)
        finally:
            admin.execute(drop)


def _create(admin: psycopg.Connection, postgres: EmbeddedPostgres, name: str, size: seed.Size) -> None:
    """Create a database under another name until it is complete, so that an interrupted seeding is never measured."""
    draft = f"{name}{DRAFT}"
    started = time.monotonic()
    print(f"seeding {size.deals:,} deals of {size.owners:,} owners ...", flush=True)
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER app_admin TEMPLATE template0 STRATEGY file_copy").format(
            sql.Identifier(draft)
        )
    )
    migrate(postgres.url("app_admin", draft))
    # As a superuser, so that VACUUM reaches the catalogue too. Durability can wait for the checkpoint at the end.
    with psycopg.connect(**postgres.conninfo("postgres", draft), options="-c synchronous_commit=off") as connection:
        seed.seed(connection, size)
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    print(f"seeded in {time.monotonic() - started:.0f} s", flush=True)


def _key() -> str:
    """A hash of the code that creates the data: other code has other databases."""
    sources = [Path(seed.__file__), *sorted((ROOT / "alembic" / "versions").glob("*.py"))]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:10]
