"""Supervisor: starts the embedded PostgreSQL again whenever it dies."""

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
def kept_running(embedded: EmbeddedPostgres) -> Iterator[None]:
    """Start the server again whenever it dies (kill -9, out of memory), until the block ends."""
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_running, args=(embedded, stop), name="embedded-postgres", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()  # before the lease is given up, so that it can't be starting what is being stopped


def _keep_running(embedded: EmbeddedPostgres, stop: threading.Event) -> None:
    backoff = Backoff(CHECK_SECONDS, RETRY_MAX_SECONDS, jitter=False)
    wait: float = CHECK_SECONDS
    while not stop.wait(wait):
        try:
            if not embedded.is_running() and embedded.revive(stop):
                log.warning("the embedded PostgreSQL died; it runs again")
            backoff.reset()
            wait = CHECK_SECONDS
        except Exception as error:  # of any kind: without another attempt, every request would get 503 from now on
            if stop.is_set():
                return
            wait = backoff.next()
            unexpected = None if isinstance(error, EmbeddedError) else error
            log.error("the embedded PostgreSQL died; next attempt in %s s: %s", wait, error, exc_info=unexpected)
