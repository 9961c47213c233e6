"""Leases on the server of a data folder, so that processes share one server and the last one stops it.

The order keeps two processes from running two servers on one data folder. Entering takes the start lock; while holding
it, it takes a shared lease, looks for a server and starts one if there is none. Then it releases the lock and keeps the
lease. Leaving takes the start lock again; a process that can make its lease exclusive is the last one and stops the
server. Restarting a dead server also takes the start lock and needs the lease, so it can't happen after leaving.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from sqlalchemy.engine import URL

from crm_graph.embedded.cluster import Cluster, ConnInfo, is_alive
from crm_graph.embedded.errors import EmbeddedError, disk_full, is_disk_full
from crm_graph.embedded.files import make_data_dir
from crm_graph.embedded.locks import lock_within, open_lock, try_lock, unlock
from crm_graph.embedded.runner import has_cluster, locate

logger = logging.getLogger(__name__)

LOCK_SECONDS = 150


class EmbeddedPostgres:
    """A lease on the PostgreSQL server of one data folder. Giving up the last lease stops the server.

    Entering joins the running server, or creates the cluster and starts a server. Then the role app_admin and its
    database `crm` exist; migrations create the other roles and all tables. Entering and leaving may block for minutes,
    so call them outside an event loop. Raises EmbeddedError.

    durable: False, for tests only, trades safety in a power cut for speed.
    may_create: False refuses a data folder without a cluster, and leaves it untouched.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, may_create: bool = True) -> None:
        self._data_dir = data_dir
        self._may_create = may_create
        self._durable = durable
        self._cluster: Cluster | None = None
        self._lease: int | None = None
        self._server: psutil.Process | None = None

    def __enter__(self) -> Self:
        with self._explain_errors():
            if not self._may_create and not has_cluster(self._data_dir):
                raise _missing(self._data_dir)
            make_data_dir(self._data_dir)
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
            # An exception would hide why the block ended. The next process joins that server and stops it.
            logger.error("the embedded PostgreSQL may still be running: %s", failure)

    def is_running(self) -> bool:
        """Whether the server that was found or started last still runs. Cheap: needs no lock and no search."""
        return self._server is not None and is_alive(self._server)

    def restart(self, stop: threading.Event) -> bool:
        """Find or start a server after the last one died; returns False if `stop` is set or the lease was given up.

        Blocks like entering, but does not wait for a long recovery once `stop` is set. Raises EmbeddedError.
        """
        with self._explain_errors(), _start_lock(self._data_dir):
            if stop.is_set() or self._lease is None or self._cluster is None:
                return False
            # A new, empty cluster would look healthy, and a cluster that is being restored would be damaged.
            if not self._is_current(self._lease) or not self._cluster.path.exists():
                raise EmbeddedError(f"the data in {self._data_dir} was removed or replaced: restart crm-graph")
            self._find_or_start(self._cluster, stop)
            return True

    def conninfo(self, user: str, dbname: str = "crm") -> ConnInfo:
        """The parameters of a connection as one of the ROLES."""
        if self._cluster is None:
            raise RuntimeError("EmbeddedPostgres was not entered")
        return self._cluster.conninfo(user, dbname)

    def url(self, user: str, dbname: str = "crm") -> URL:
        """The same as a URL for SQLAlchemy, sync or async."""
        parameters = self.conninfo(user, dbname)
        query = {"host": parameters["host"], "hostaddr": parameters["hostaddr"], "port": parameters["port"]}
        return URL.create("postgresql+psycopg", username=user, database=dbname, query=query)

    def _enter_locked(self) -> None:
        self._lease = open_lock(self._data_dir / "server.lease")
        try:
            # Does not fail: an exclusive lease needs the start lock, which we hold.
            fcntl.flock(self._lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
            home, runner = locate(self._data_dir)
            self._cluster = Cluster(self._data_dir, home, runner, self._durable)
            if not self._may_create and not self._cluster.path.exists():  # removed a moment ago
                raise _missing(self._data_dir)
            self._find_or_start(self._cluster, threading.Event())
        except BaseException:  # including SystemExit from a signal
            self._leave()
            raise

    def _find_or_start(self, cluster: Cluster, stop: threading.Event) -> None:
        server = cluster.find_server() or cluster.start()
        cluster.create_database(server, stop)
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
        """Whether the lease file is the one in the data folder: not after the folder was deleted or restored."""
        return os.path.samestat(os.fstat(lease), os.stat(self._data_dir / "server.lease"))

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, psutil.Error, psycopg.Error) as error:
            if is_disk_full(error):
                raise disk_full(self._data_dir) from error
            reason = " ".join(str(error).split())
            raise EmbeddedError(f"the embedded PostgreSQL can't run in {self._data_dir}: {reason}") from error


def _missing(data_dir: Path) -> EmbeddedError:
    return EmbeddedError(
        f"there is no database in {data_dir}: run crm-graph migrate to create it, or crm-graph demo to try crm-graph"
    )


@contextmanager
def _start_lock(data_dir: Path) -> Iterator[None]:
    """Held while starting, joining or stopping, so that no process joins a server that is about to stop."""
    lock = open_lock(data_dir / "start.lock")
    try:
        if not lock_within(lock, LOCK_SECONDS):
            raise EmbeddedError(
                f"another process has been starting or stopping PostgreSQL in {data_dir} for {LOCK_SECONDS} s: "
                "look for a crm-graph process that hangs"
            )
        yield
    finally:
        unlock(lock)
