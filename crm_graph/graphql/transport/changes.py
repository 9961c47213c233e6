"""Who is to be told of a change: one listener for the process, and a feed for each subscription.

A feed holds ids, each of them once, and no more than so many. Whoever doesn't keep up is told to read anew instead.
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
class Change:
    """A row that was made or changed. `owners` are its owner and the one before (None: the pool); of an activity, whose
    owners are those of its contact and deal, there are none.
    """

    kind: str
    id: uuid.UUID
    pipeline_id: uuid.UUID | None = None
    owners: frozenset[uuid.UUID | None] = frozenset()


class Feed:
    """What a subscription has not been told yet."""

    def __init__(self, kind: str, pipeline_id: uuid.UUID | None = None, most: int = FEED_MAX) -> None:
        self.kind = kind
        self._pipeline_id, self._most = pipeline_id, most
        self._waiting: dict[uuid.UUID, Change] = {}
        self._has_missed = False
        self._news = asyncio.Event()

    def tell(self, change: Change) -> None:
        """Keep a change for later, if it is wanted."""
        if self._has_missed or change.kind != self.kind or self._pipeline_id not in (None, change.pipeline_id):
            return
        before = self._waiting.get(change.id)
        # Whoever owned it in between has to hear of it as well.
        self._waiting[change.id] = replace(change, owners=change.owners | before.owners) if before else change
        self._news.set()
        if len(self._waiting) > self._most:
            self.miss()

    def miss(self) -> None:
        """Something was not heard of: all that waits is in what will be read anew."""
        self._waiting.clear()
        self._has_missed = True
        self._news.set()

    async def next(self) -> Change | None:
        """The next change, waited for; None when changes were missed."""
        await self._news.wait()
        found = None if self._has_missed else self._waiting.pop(next(iter(self._waiting)))
        self._has_missed = False
        if not self._waiting:
            self._news.clear()
        return found


class Changes:
    """The feeds of this process. It listens while there are any, and `linger` seconds longer: connections are dear, and
    who reloads a page is back at once.
    """

    def __init__(self, database: Database, linger: float) -> None:
        self._url, self._linger = database.url, linger
        self._leaving: asyncio.TimerHandle | None = None
        self._feeds: set[Feed] = set()
        self._listening: asyncio.Task[None] | None = None
        self._hears = False

    @asynccontextmanager
    async def feed(self, feed: Feed) -> AsyncIterator[None]:
        """Tell this feed until the block ends; first that it has missed what was before."""
        self._feeds.add(feed)
        if self._hears:
            feed.miss()
        if self._listening is None:
            self._listening = asyncio.create_task(listen(self._url, channels.CHANGES, self._hear, self._begun))
        try:
            yield
        finally:
            self._feeds.discard(feed)
            if not self._feeds:
                if self._leaving is not None:
                    self._leaving.cancel()
                self._leaving = asyncio.get_running_loop().call_later(self._linger, self._leave)

    def _leave(self) -> None:
        if not self._feeds and self._listening is not None:
            self._listening.cancel()
            self._listening, self._hears = None, False

    def _begun(self) -> None:
        self._hears = True
        for feed in self._feeds:
            feed.miss()

    def _hear(self, payload: str) -> None:
        try:
            change = _read(payload)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("a notice on %s can't be read", channels.CHANGES)
            return
        for feed in self._feeds:
            feed.tell(change)


def _read(payload: str) -> Change:
    told = json.loads(payload)
    kind, pipeline_id = told["kind"], told.get("pipeline_id")
    owners = () if kind == "activity" else (told["owner_id"], told["old_owner_id"])
    return Change(kind, uuid.UUID(told["id"]), _id(pipeline_id), frozenset(map(_id, owners)))


def _id(told: str | None) -> uuid.UUID | None:
    return None if told is None else uuid.UUID(told)
