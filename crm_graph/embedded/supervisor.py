"""Restarts the embedded PostgreSQL whenever it dies."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from crm_graph.backoff import Backoff
from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.lease import EmbeddedPostgres

log = logging.getLogger(__name__)

CHECK_SECONDS, RETRY_MAX_SECONDS = 2, 60


@contextmanager
def supervised(embedded: EmbeddedPostgres) -> Iterator[None]:
    """Restart the server whenever it dies (kill -9, out of memory), until the block ends."""
    stop = threading.Event()
    supervisor = threading.Thread(target=_supervise, args=(embedded, stop), name="embedded-postgres", daemon=True)
    supervisor.start()
    try:
        yield
    finally:
        stop.set()
        supervisor.join()  # before the lease is given up: it must not start a server while that stops one


def _supervise(embedded: EmbeddedPostgres, stop: threading.Event) -> None:
    backoff = Backoff(CHECK_SECONDS, RETRY_MAX_SECONDS, jitter=False)
    wait: float = CHECK_SECONDS
    while not stop.wait(wait):
        try:
            if not embedded.is_running() and embedded.restart(stop):
                log.warning("the embedded PostgreSQL died and was restarted")
            backoff.reset()
            wait = CHECK_SECONDS
        except Exception as error:  # of any kind: without another attempt, every later request would get 503
            if stop.is_set():
                return
            wait = backoff.next()
            unexpected = None if isinstance(error, EmbeddedError) else error
            log.error("the embedded PostgreSQL died; next attempt in %s s: %s", wait, error, exc_info=unexpected)
