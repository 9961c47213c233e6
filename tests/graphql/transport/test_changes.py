"""Feeds: each row once, with all of its owners in between, up to a maximum."""

import asyncio
import uuid

import pytest

from crm_graph.graphql.transport.changes import ChangeFeed, RowChange

ADA, BOB, ROW = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


def deal_change(row: uuid.UUID, *owners: uuid.UUID | None) -> RowChange:
    return RowChange("deal", row, owners=frozenset(owners))


async def has_nothing(feed: ChangeFeed) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await feed.next()


async def test_changes_come_in_order_and_each_row_once() -> None:
    feed, other = ChangeFeed("deal"), uuid.uuid4()
    for row in (ROW, other, ROW):
        feed.add(deal_change(row, ADA))

    assert [await feed.next(), await feed.next()] == [deal_change(ROW, ADA), deal_change(other, ADA)]
    await has_nothing(feed)


async def test_a_change_has_every_owner_since() -> None:
    feed = ChangeFeed("deal")
    feed.add(deal_change(ROW, ADA, BOB))
    feed.add(deal_change(ROW, BOB, None))

    assert await feed.next() == deal_change(ROW, ADA, BOB, None)


async def test_too_many_changes_become_one_note_that_some_were_missed() -> None:
    feed = ChangeFeed("deal", max_waiting=2)
    for _ in range(5):
        feed.add(deal_change(uuid.uuid4(), ADA))

    assert await feed.next() is None
    await has_nothing(feed)
    feed.add(deal_change(ROW, ADA))
    assert await feed.next() == deal_change(ROW, ADA)


async def test_other_kinds_and_other_pipelines_are_ignored() -> None:
    pipeline = uuid.uuid4()
    feed = ChangeFeed("deal", pipeline)
    for change in (RowChange("contact", ROW), RowChange("deal", ROW), RowChange("deal", ROW, uuid.uuid4())):
        feed.add(change)

    await has_nothing(feed)
    feed.add(RowChange("deal", ROW, pipeline))
    assert await feed.next() == RowChange("deal", ROW, pipeline)
