"""Feeds: each row once, whoever owned it in between, and no more than so many."""

import asyncio
import uuid

import pytest

from crm_graph.graphql.transport.changes import Change, Feed

ADA, BOB, ROW = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


def given(row: uuid.UUID, *owners: uuid.UUID | None) -> Change:
    return Change("deal", row, owners=frozenset(owners))


async def nothing_comes(feed: Feed) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await feed.next()


async def test_changes_come_in_order_and_each_row_once() -> None:
    feed, other = Feed("deal"), uuid.uuid4()
    for row in (ROW, other, ROW):
        feed.tell(given(row, ADA))

    assert [await feed.next(), await feed.next()] == [given(ROW, ADA), given(other, ADA)]
    await nothing_comes(feed)


async def test_a_change_is_told_to_everybody_who_owned_the_row_since() -> None:
    feed = Feed("deal")
    feed.tell(given(ROW, ADA, BOB))
    feed.tell(given(ROW, BOB, None))

    assert await feed.next() == given(ROW, ADA, BOB, None)


async def test_of_too_many_changes_only_that_they_were_missed() -> None:
    feed = Feed("deal", most=2)
    for _ in range(5):
        feed.tell(given(uuid.uuid4(), ADA))

    assert await feed.next() is None
    await nothing_comes(feed)
    feed.tell(given(ROW, ADA))
    assert await feed.next() == given(ROW, ADA)


async def test_other_kinds_and_other_pipelines_are_passed_over() -> None:
    pipeline = uuid.uuid4()
    feed = Feed("deal", pipeline)
    for change in (Change("contact", ROW), Change("deal", ROW), Change("deal", ROW, uuid.uuid4())):
        feed.tell(change)

    await nothing_comes(feed)
    feed.tell(Change("deal", ROW, pipeline))
    assert await feed.next() == Change("deal", ROW, pipeline)
