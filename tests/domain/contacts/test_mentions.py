"""Mentions of an erased person in rows about others: every spelling that is known is found, and nothing else."""

import json
import re

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.contacts import mentions
from tests.support.database import dump
from tests.support.erasure_subject import LOG, ZELDA, mutate
from tests.support.events import all_events, check
from tests.support.factories import ROOT, World
from tests.support.instantly import event
from tests.support.webhooks import post

ERASE_ALL = "mutation ($in: EraseContactInput!) { eraseContact(input: $in) { erasedContactId notSearched } }"
SPELLINGS = [
    "zelda.quux@acme.example", "Zelda.QUUX@Acme.Example", "<a href='mailto:zelda.quux@acme.example?subject=x'>",
    "zelda.quux&#64;acme.example", "zelda&#46;quux&#x40;acme&period;example", "zelda.quux&commat;acme.example",
    "zelda.quux%40acme.example", "to=%3Czelda.quux%40acme%2Eexample%3E", "zelda.quux=40acme.example",
    "=3Czelda.quux=40acme=2Eexample=3E", "zelda.quux=40ac=\r\nme.example", "zelda.quux+news@acme.example",
    "zelda.quux%2Bnews%40acme.example", "zelda.quux+a.b-c@ACME.example", '{"to": "zelda.quux\\u0040acme.example"}',
    '"\\nzelda.quux@acme.example"', "zelda.\u200bquux\u200b@\ufeffacme.example",
    "z\u00adelda.quux@acme.exam\u2060ple", "zelda.quux [at] acme (dot) example", "zelda.quux(at)acme.example",
]  # fmt: skip
PLACES = {  # a column of another person's row, and what is stored in it around a spelling
    "contacts": ("custom", "jsonb_build_object(CAST(:said AS text), jsonb_build_array(CAST(:said AS text)))"),
    "companies": ("enrichment_json", "jsonb_build_object('a', CAST(:said AS text))"),
    "deals": ("notes", ":said"),
    "activities": ("meta_json", "meta_json || jsonb_build_object('a', CAST(:said AS text))"),
}
UNLIKE = "not zelda.quux@acme.example.org, xzelda.quux@acme.example or quux@acme.example"


async def test_texts_about_others_lose_the_address_in_every_spelling(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    said = "".join(f"Ask {spelling} about it\n" for spelling in SPELLINGS)
    for name, (column, value) in PLACES.items():
        await sql.execute(text(f"UPDATE {name} SET {column} = {value}"), {"said": said})
    await sql.execute(text("UPDATE activities SET content = :said"), {"said": said})
    await sql.execute(text("UPDATE contacts SET reply_summary = :said, title = 'CEO'"), {"said": said})
    await mutate(client, LOG, contactId=str(world.ada.contact), type="NOTE", content=said)
    await sql.execute(text("UPDATE companies SET location = :said"), {"said": UNLIKE})

    erased = await mutate(client, ERASE_ALL, ROOT, email=ZELDA)

    assert erased == {"erasedContactId": None, "notSearched": []}
    left = (await dump(sql)).replace(UNLIKE, "")
    assert re.findall(r".{0,30}zelda.{0,30}", left) == []
    assert re.findall(r".{0,30}elda.quux.{0,30}", left) == []
    for one in await all_events(sql):
        check(one)
    assert f"ask {mentions.MARK} about it" in left  # the rest of the texts stays
    assert "ceo" in left


async def test_bodies_about_others_are_emptied_in_every_spelling(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    many = " ".join(f"a{number}@b.example" for number in range(6_000))
    texts = [*SPELLINGS, "x@y.example " * 2_000 + ZELDA, f"{many} {ZELDA}", f"{many} zelda.quux%40acme.example"]
    for number, said in enumerate(texts):
        lead = f"other{number}@x.example"
        await post(client, "instantly", event("reply_received", lead_email=lead, reply_text="ok", cc=said))
    await post(client, "instantly", event("reply_received", lead_email="kept@x.example", reply_text="ok", cc=UNLIKE))

    await mutate(client, ERASE_ALL, ROOT, email=ZELDA)

    query = "SELECT convert_from(body, 'UTF8') FROM webhooks_log WHERE body <> ''"
    assert [json.loads(body)["lead_email"] for body in await sql.scalars(text(query))] == ["kept@x.example"]


async def test_rows_beyond_the_limit_are_said_to_be_not_searched(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "SEARCHED_MAX", 2)
    erased = await mutate(client, ERASE_ALL, ROOT, email=ZELDA)
    assert "deals" in erased["notSearched"]
    assert "webhooks_log" not in erased["notSearched"]
