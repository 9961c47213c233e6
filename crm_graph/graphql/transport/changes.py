"""The changes that subscriptions wait for: one listener for the process, and a feed for each subscription.

A feed holds each changed id once, up to a maximum. A subscription that falls behind gets a note to refetch instead.
"""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from crm_graph.database import channels
from crm_graph.database.engine import Database
from crm_graph.database.listener import listen

log = logging.getLogger(__name__)

FEED_MAX = 1_000  # changes that wait


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that was created, changed or deleted.

    `owners` are its owner and its previous owner, and a deal's members before and after; None is the unassigned pool.
    An activity has none of its own: those of its contact and deal count.
    """

    kind: str
    id: uuid.UUID
    pipeline_id: uuid.UUID | None = None
    owners: frozenset[uuid.UUID | None] = frozenset()


class ChangeFeed:
    """The changes that one subscription has not sent yet."""

    def __init__(self, kind: str, pipeline_id: uuid.UUID | None = None, max_waiting: int = FEED_MAX) -> None:
        self.kind = kind
        self._pipeline_id, self._max_waiting = pipeline_id, max_waiting
        self._waiting: dict[uuid.UUID, RowChange] = {}
        self._has_missed = False
        self._is_ready = asyncio.Event()

    def add(self, change: RowChange) -> None:
        """Keep a change until it is sent, if it is of the feed's kind and pipeline."""
        if self._has_missed or change.kind != self.kind or self._pipeline_id not in (None, change.pipeline_id):
            return
        before = self._waiting.get(change.id)
        # Owners in between have lost the row: they get the change, too.
        self._waiting[change.id] = replace(change, owners=change.owners | before.owners) if before else change
        self._is_ready.set()
        if len(self._waiting) > self._max_waiting:
            self.mark_missed()

    def mark_missed(self) -> None:
        """Note that changes may be missing. Those that wait are dropped: refetching covers them."""
        self._waiting.clear()
        self._has_missed = True
        self._is_ready.set()

    async def next(self) -> RowChange | None:
        """Wait for the next change; None when changes may be missing."""
        await self._is_ready.wait()
        change = None if self._has_missed else self._waiting.pop(next(iter(self._waiting)))
        self._has_missed = False
        if not self._waiting:
            self._is_ready.clear()
        return change


class ChangeListener:
    """Distributes the database's notices of changes to the feeds of this process.

    It listens while there are feeds and `linger` seconds longer: connections are costly, and a client that reloads a
    page is back at once.
    """

    def __init__(self, database: Database, linger: float) -> None:
        self._url, self._linger = database.url, linger
        self._stop_timer: asyncio.TimerHandle | None = None
        self._feeds: set[ChangeFeed] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_listening = False

    @asynccontextmanager
    async def subscribe(self, feed: ChangeFeed) -> AsyncIterator[None]:
        """Add changes to this feed until the block ends. It starts with changes missing: those before."""
        self._feeds.add(feed)
        if self._is_listening:
            feed.mark_missed()
        if self._task is None:
            self._task = asyncio.create_task(listen(self._url, channels.CHANGES, self._receive, self._start))
        try:
            yield
        finally:
            self._feeds.discard(feed)
            if not self._feeds:
                if self._stop_timer is not None:
                    self._stop_timer.cancel()
                self._stop_timer = asyncio.get_running_loop().call_later(self._linger, self._stop)

    def _stop(self) -> None:
        if not self._feeds and self._task is not None:
            self._task.cancel()
            self._task, self._is_listening = None, False

    def _start(self) -> None:
        self._is_listening = True
        for feed in self._feeds:
            feed.mark_missed()

    def _receive(self, payload: str) -> None:
        try:
            change = _parse(payload)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("unreadable notice on channel %s", channels.CHANGES)
            return
        for feed in self._feeds:
            feed.add(change)


def _parse(payload: str) -> RowChange:
    notice = json.loads(payload)
    kind, pipeline_id = notice["kind"], notice.get("pipeline_id")
    owners = (
        () if kind == "activity" else (notice["owner_id"], notice["old_owner_id"], *(notice.get("member_ids") or ()))
    )
    return RowChange(kind, uuid.UUID(notice["id"]), _uuid(pipeline_id), frozenset(map(_uuid, owners)))


def _uuid(text: str | None) -> uuid.UUID | None:
    return None if text is None else uuid.UUID(text)
