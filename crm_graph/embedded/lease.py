"""The way in: leases on the server of a data folder, and the protocol that makes them safe.

The order keeps two processes from running two servers on one data folder. Entering takes the start lock; under it a
shared lease, a look for a server, and a start where there is none; then it gives up the lock and keeps the lease.
Leaving takes the start lock again: whoever can make its lease exclusive under it is the last one, and stops the server.
Reviving a server that died takes the start lock, too, and needs the lease: after leaving nobody can bring it back.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg
from sqlalchemy.engine import URL

from crm_graph.embedded.cluster import Cluster, is_alive
from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.files import make_dir
from crm_graph.embedded.locks import lock_within, open_lock, try_lock, unlock
from crm_graph.embedded.runner import locate

logger = logging.getLogger(__name__)

LOCK_SECONDS = 150


class EmbeddedPostgres:
    """A lease on the PostgreSQL server of one data folder; whoever gives up the last lease stops the server.

    Entering makes the cluster and starts the server when there is none, else joins the one that runs. Then the role
    app_admin and its database `crm` are there; the other roles and all tables are the migrations' work. Entering and
    leaving block, at worst for minutes, so both belong outside an event loop. Raises EmbeddedError.

    durable: False, for tests only, trades safety in a power cut for speed.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir
        self._durable = durable
        self._cluster: Cluster | None = None
        self._lease: int | None = None
        self._server: psutil.Process | None = None

    def __enter__(self) -> Self:
        with self._failures_explained():
            make_dir(self._data_dir, 0o711 if os.geteuid() == 0 else 0o700)
            self._data_dir = self._data_dir.resolve()
            with _start_lock(self._data_dir):
                self._enter_locked()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with _start_lock(self._data_dir):
                self._leave()
        except (EmbeddedError, OSError, psutil.Error) as failure:
            # Raised, it would hide why the block ended. The next process joins that server, and stops it.
            logger.error("the embedded PostgreSQL may be running still: %s", failure)

    def is_running(self) -> bool:
        """Whether the server that was found or started last still lives: a cheap look, without a lock or a search."""
        return self._server is not None and is_alive(self._server)

    def revive(self, stop: threading.Event) -> bool:
        """Find or start a server after the last one died; False if stop was set, or the lease given up, before that.

        Blocks like entering, but once stop is set it waits for no long recovery. Raises EmbeddedError.
        """
        with self._failures_explained(), _start_lock(self._data_dir):
            if stop.is_set() or self._lease is None or self._cluster is None:
                return False
            # A new, empty cluster would look healthy, and one that is just being restored would be spoilt.
            if not self._is_current(self._lease) or not self._cluster.path.exists():
                raise EmbeddedError(f"the data in {self._data_dir} were removed or replaced: restart crm-graph")
            self._have_server(self._cluster, stop)
            return True

    def conninfo(self, user: str, dbname: str = "crm") -> dict[str, Any]:
        """What psycopg.connect takes to connect as one of the ROLES."""
        if self._cluster is None:
            raise RuntimeError("EmbeddedPostgres was not entered")
        return self._cluster.conninfo(user, dbname)

    def url(self, user: str, dbname: str = "crm") -> URL:
        """The same for SQLAlchemy, sync or async."""
        given = self.conninfo(user, dbname)
        query = {name: given[name] for name in ("host", "hostaddr", "port")}
        return URL.create("postgresql+psycopg", username=user, database=dbname, query=query)

    def _enter_locked(self) -> None:
        self._lease = open_lock(self._data_dir / "server.lease")
        try:
            # Nobody holds it exclusively now: that takes the start lock, which is ours.
            fcntl.flock(self._lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
            home, runner = locate(self._data_dir)
            self._cluster = Cluster(self._data_dir, home, runner, self._durable)
            self._have_server(self._cluster, threading.Event())
        except BaseException:  # SystemExit from a signal, too
            self._leave()
            raise

    def _have_server(self, cluster: Cluster, stop: threading.Event) -> None:
        server = cluster.find_server() or cluster.start()
        cluster.make_database(server, stop)
        self._server = server

    def _leave(self) -> None:
        lease, self._lease = self._lease, None
        if lease is None:
            return
        try:
            last = self._is_current(lease) and try_lock(lease, fcntl.LOCK_EX)
            if last and self._cluster and (server := self._cluster.find_server()):
                self._cluster.stop(server)
        finally:
            unlock(lease)

    def _is_current(self, lease: int) -> bool:
        """Not once the data folder was deleted, even if it was restored: then another lease file counts."""
        return os.path.samestat(os.fstat(lease), os.stat(self._data_dir / "server.lease"))

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, psutil.Error, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            raise EmbeddedError(f"the embedded PostgreSQL can't run in {self._data_dir}: {reason}") from error


@contextmanager
def _start_lock(data_dir: Path) -> Iterator[None]:
    """Held while starting, joining or stopping, so that nobody joins a server that is about to stop."""
    lock = open_lock(data_dir / "start.lock")
    try:
        if not lock_within(lock, LOCK_SECONDS):
            raise EmbeddedError(
                f"another process has been starting or stopping PostgreSQL in {data_dir} for {LOCK_SECONDS} s: "
                "look for a crm-graph that hangs"
            )
        yield
    finally:
        unlock(lock)
