"""Search finds people by further addresses and by telephone numbers, however they are written."""

from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import ContactEmail, table
from tests.support.api import ask
from tests.support.factories import ADA, BOB, World

SEARCH = "query ($text: String!) { search(text: $text) { score contact { id } } }"


async def found(client: httpx.AsyncClient, who: str, words: str) -> list[Any]:
    hits = (await ask(client, who, SEARCH, text=words))["search"]
    return [hit["contact"]["id"] for hit in hits if hit["contact"]]


@pytest.mark.parametrize("words", ["old@merged.example", "old@merged", "OLD merged example"])
async def test_by_a_further_address(words: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await sql.execute(insert(table(ContactEmail)).values(email="old@merged.example", contact_id=world.ada.contact))
    assert await found(client, ADA, words) == [str(world.ada.contact)]
    assert await found(client, BOB, words) == []


TYPED = ["+49 30 901820", "030 / 901820", "(030) 90-18-20", "0049 30 90 18 20", "90 18 20"]
STORED = ["+49 30 901820", "030/90 18 20", "0049-30-901820", "+49 (0)30 901820", "Tel. 030 901820"]


@pytest.mark.parametrize("stored", STORED)
async def test_by_a_telephone_number(
    stored: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE contacts SET phone = :p WHERE id = :id"), {"p": stored, "id": world.ada.contact})
    for words in TYPED:
        assert await found(client, ADA, words) == [str(world.ada.contact)], words
    assert await found(client, BOB, TYPED[0]) == []


@pytest.mark.parametrize("words", ["+49 30 901821", "01820", "+90 30 901820 1", "901820 Berlin"])
async def test_other_numbers_and_words_find_nobody(
    words: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    query = "UPDATE contacts SET phone = '+49 30 901820' WHERE id = :id"
    await sql.execute(text(query), {"id": world.ada.contact})
    assert await found(client, ADA, words) == []
