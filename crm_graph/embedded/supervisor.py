"""Supervisor: starts the embedded PostgreSQL again whenever it dies."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.lease import EmbeddedPostgres

log = logging.getLogger(__name__)

LOOK_SECONDS, RETRY_MAX_SECONDS = 2, 60  # for the embedded server, which nobody else would start again


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
    wait = retry = LOOK_SECONDS
    while not stop.wait(wait):
        try:
            if not embedded.is_running() and embedded.revive(stop):
                log.warning("the embedded PostgreSQL had died and runs again")
            wait = retry = LOOK_SECONDS
        except Exception as error:  # whatever it was: without another try the server would answer 503 for ever
            if stop.is_set():
                return
            wait, retry = retry, min(retry * 2, RETRY_MAX_SECONDS)
            unforeseen = None if isinstance(error, EmbeddedError) else error
            log.error("the embedded PostgreSQL died; next try in %s s: %s", wait, error, exc_info=unforeseen)
