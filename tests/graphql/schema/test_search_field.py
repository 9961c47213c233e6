"""search: the best hits of three tables at once, among the rows that the caller may see, whatever the text."""

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Company, Contact, Deal, Role, table
from tests.support.api import ask, reason, refusal
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, add_owner, stages

SEARCH = """query ($text: String!, $first: Int! = 20) { search(text: $text, first: $first) {
    score deal { title } contact { email } company { name } } }"""
Row = dict[str, Any]


@pytest.fixture(autouse=True)
async def team(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """Rows of every owner about two companies; `client` first, so that its clean-up comes last."""
    ada, bob = await add_owner(sql, ADA), await add_owner(sql, BOB)
    await add_owner(sql, ROOT, role=Role.ADMIN)
    await add_owner(sql, READER, role=Role.READONLY)
    stage = await stages(sql)
    companies: list[Row] = [
        {"name": "Nimbus", "domain": "nimbus.example", "location": None},
        {"name": "Öz Işık Gıda", "domain": "isik.example", "location": "İzmir"},
        {"name": "Other", "domain": "other.example", "location": "Nimbus Road"},
    ]
    contacts: list[Row] = [
        {"email": "ada1@nimbus.example", "full_name": "Nimbus Lead", "owner_id": ada},
        {"email": "pool@nimbus.example", "full_name": "Çağrı İpek", "owner_id": None},
        {"email": "bob1@nimbus.example", "full_name": "Nimbus Bobslead", "owner_id": bob},
        {"email": "deleted@nimbus.example", "full_name": "Nimbus Removed", "owner_id": ada, "deleted_at": START},
    ]
    deals: list[Row] = [
        {"title": "Nimbus: licences", "owner_id": ada},
        {"title": "Licences for Nimbus", "owner_id": None},
        {"title": "Renewal of nimbuses", "owner_id": ada},
        {"title": "Nimbus by Bob", "owner_id": bob},
        {"title": "Nimbus deleted", "owner_id": ada, "deleted_at": START},
        {"title": "ISPARTA ile İş", "owner_id": ada},
    ]
    await sql.execute(insert(table(Company)), [row | {"name_key": row["name"]} for row in companies])
    await sql.execute(insert(table(Contact)), [{"deleted_at": None} | row for row in contacts])
    shared = {
        "stage_id": stage["new"],
        "pipeline_id": stage["pipeline"],
        "currency": "USD",
        "rank": "a",
        "status": "open",
    }
    await sql.execute(insert(table(Deal)), [{"deleted_at": None} | shared | row for row in deals])


async def search(client: httpx.AsyncClient, who: str, text: str, first: int = 20) -> list[Row]:
    hits: list[Row] = (await ask(client, who, SEARCH, text=text, first=first))["search"]
    return hits


def named(hits: list[Row]) -> list[str]:
    """The name of each hit; a hit is of one kind."""
    names = []
    for hit in hits:
        [row] = [row for key, row in hit.items() if key != "score" and row is not None]
        names += row.values()
    return names


MINE = {
    "Nimbus", "Nimbus: licences", "Licences for Nimbus", "Renewal of nimbuses", "Other", "ada1@nimbus.example",
    "pool@nimbus.example",
}  # fmt: skip
HIDDEN = {"Nimbus by Bob", "bob1@nimbus.example"}


async def test_a_search_finds_rows_of_every_kind_the_best_first(client: httpx.AsyncClient) -> None:
    hits = await search(client, ADA, "nimbus")

    assert set(named(hits)) == MINE
    assert len(hits) == len(MINE)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    whole = {"Nimbus", "Nimbus: licences", "Licences for Nimbus", "ada1@nimbus.example"}
    assert set(named([hit for hit in hits if hit["score"] >= 1])) == whole
    assert set(named(hits)[: len(whole)]) == whole
    assert named(hits)[len(whole)] == "Renewal of nimbuses"  # its name begins a word so; the others' only elsewhere
    assert [hit["score"] for hit in hits[-2:]] == [0, 0]


async def test_a_colleagues_and_deleted_rows_are_never_found(client: httpx.AsyncClient) -> None:
    for text in ("nimbus", "bob", "bob1@nimbus.example", "nimbus bobslead", "Nimbus by", "removed", "deleted"):
        assert not set(named(await search(client, ADA, text))) & (HIDDEN | {"Nimbus deleted", "deleted@nimbus.example"})
    bobs = set(named(await search(client, BOB, "nimbus")))
    assert bobs == {"Nimbus", "Other", "Licences for Nimbus", "pool@nimbus.example"} | HIDDEN
    for who in (ROOT, READER):
        assert set(named(await search(client, who, "nimbus"))) == MINE | HIDDEN
        assert await search(client, who, "deleted") == await search(client, who, "removed") == []


async def test_rows_that_a_caller_may_not_see_displace_no_hits(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await sql.exec_driver_sql(
        """INSERT INTO deals (id, title, owner_id, pipeline_id, stage_id, currency, rank, status, version)
           SELECT gen_random_uuid(), 'Zephyr', owner_id, pipeline_id, stage_id, 'USD', 'a', 'open', 1
           FROM deals, generate_series(1, 1100) WHERE title = 'Nimbus by Bob'"""
    )
    await sql.exec_driver_sql("UPDATE deals SET title = 'The late Zephyr' WHERE title = 'Nimbus: licences'")

    assert named(await search(client, ADA, "zephyr", first=1)) == ["The late Zephyr"]
    assert len(await search(client, ROOT, "zephyr", first=100)) == 100


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("oz isik", {"Öz Işık Gıda"}), ("ÖZ IŞIK", {"Öz Işık Gıda"}), ("işık gida", {"Öz Işık Gıda"}),
        ("izmir", {"Öz Işık Gıda"}), ("IZMIR", {"Öz Işık Gıda"}), ("ızmır", {"Öz Işık Gıda"}),
        ("cagri ipek", {"pool@nimbus.example"}), ("ÇAĞRI İPEK", {"pool@nimbus.example"}),
        ("ıpek", {"pool@nimbus.example"}),
        ("ısparta", {"ISPARTA ile İş"}), ("İSPARTA is", {"ISPARTA ile İş"}),
        ("isparta nimbus", set()), ("imbus", set()), ("nimbus%", MINE), ("nim_us", set()),
    ],
)  # fmt: skip
async def test_accents_and_the_turkish_i_dont_count(text: str, found: set[str], client: httpx.AsyncClient) -> None:
    assert set(named(await search(client, ADA, text))) == found


@pytest.mark.parametrize("first", [1, 2, 6, 100])
async def test_first_cuts_the_hits_after_ranking(first: int, client: httpx.AsyncClient) -> None:
    every = await search(client, ADA, "nimbus", first=100)

    assert await search(client, ADA, "nimbus", first=first) == every[:first]
    literal = await ask(client, ADA, f'{{ search(text: "nimbus", first: {first}) {{ score }} }}')
    assert literal["search"] == [{"score": hit["score"]} for hit in every[:first]]


async def test_without_first_there_are_twenty(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    rows = [
        {"id": uuid.uuid4(), "name": f"Zephyr {i}", "name_key": f"z{i}", "domain": f"z{i}.example"} for i in range(25)
    ]
    await sql.execute(insert(table(Company)), rows)

    found = await ask(client, ADA, '{ search(text: "zephyr") { company { id } } }')
    highest = sorted((str(row["id"]) for row in rows), reverse=True)

    assert [hit["company"]["id"] for hit in found["search"]] == highest[:20]  # equal scores come by id


async def test_only_selected_fields_are_in_the_answer(client: httpx.AsyncClient) -> None:
    every = await search(client, ADA, "nimbus", first=100)

    deals = await ask(client, ADA, '{ search(text: "nimbus", first: 100) { deal { title } } }')
    types = await ask(client, ADA, '{ search(text: "nimbus") { __typename c: company { __typename n: name } } }')

    assert deals["search"] == [{"deal": hit["deal"]} for hit in every]
    assert [hit["__typename"] for hit in types["search"]] == ["SearchHit"] * len(every)
    assert [hit["c"] for hit in types["search"] if hit["c"]] == [
        {"__typename": "Company", "n": hit["company"]["name"]} for hit in every if hit["company"]
    ]


async def test_two_searches_in_one_query_dont_mix(client: httpx.AsyncClient) -> None:
    one, two = await search(client, ADA, "nimbus"), await search(client, ADA, "isparta")
    both = await ask(
        client, ADA,
        """query ($b: String!) {
             a: search(text: "nimbus") { ...H } b: search(text: $b, first: 3) { ...H } deals { totalCount } }
           fragment H on SearchHit { score deal { title } contact { email } company { name } }""",
        b="isparta",
    )  # fmt: skip

    assert both == {"a": one, "b": two, "deals": {"totalCount": 4}}


NO_WORDS = [
    "",
    " ",
    "\n",
    "%",
    "_",
    "'",
    "''",
    "\\",
    "&",
    "a\x00",
    "\ud800",
    "<->",
    ":*",
    "🚀",
    "a" * 501,
    "nimbus " * 1_500,
]


async def test_a_text_without_words_or_too_long_is_refused(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for text in NO_WORDS:
            assert reason(await refusal(client, ADA, SEARCH, text=text)) == ("VALIDATION", "text"), ascii(text)


@pytest.mark.parametrize("first", [0, 101, -1, 2**31 - 1])
async def test_first_is_1_to_100(first: int, client: httpx.AsyncClient) -> None:
    assert reason(await refusal(client, ADA, SEARCH, text="nimbus", first=first)) == ("VALIDATION", "first")
    error = await refusal(client, ADA, f'{{ search(text: "nimbus", first: {first}) {{ score }} }}')
    assert reason(error) == ("VALIDATION", "first")


FIND_NIMBUS = [
    "nimbus:*", "!nimbus", "nimbus & !licences", "(nimbus", "nimbus <-> licences", "nimbus\\", '"nimbus"',
    "nim\u0301bus", "nimbus " * 71, "% nimbus _",
]  # fmt: skip
FIND_NOTHING = [
    "nimbus:AB", "'nimbus' | 'zzz'", "nimbus' OR 1=1 --", "nimbus'; DROP TABLE deals; --", "$1 nimbus",
    "x" * 500, "한" * 500, "\U0010ffff1" * 250, "ﷺ" * 500, "e\u0301" * 250,
]  # fmt: skip


async def test_hostile_texts_are_only_words(client: httpx.AsyncClient) -> None:
    for text in FIND_NIMBUS:
        hits = set(named(await search(client, ADA, text)))
        assert "Nimbus: licences" in hits, text
        assert hits <= MINE
    for text in FIND_NOTHING:
        assert await search(client, ADA, text) == [], ascii(text)
