"""The team through the API: admins change it, one of them always stays active, and everybody sees it."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.team import owners
from crm_graph.models import Role
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World, add_owner

FIELDS = "id name email role isDefault active timezone bookingUrl mailboxes"
CREATE = f"mutation ($in: CreateOwnerInput!) {{ createOwner(input: $in) {{ replayed owner {{ {FIELDS} }} }} }}"
UPDATE = f"mutation ($in: UpdateOwnerInput!) {{ updateOwner(input: $in) {{ replayed owner {{ {FIELDS} }} }} }}"
DEACTIVATE = "mutation ($in: DeactivateOwnerInput!) { deactivateOwner(input: $in) { owner { active } } }"
ACTIVATE = "mutation ($in: ActivateOwnerInput!) { activateOwner(input: $in) { owner { active } } }"


async def create(client: httpx.AsyncClient, **given: Any) -> Json:
    """The payload of an owner whom an admin adds."""
    values = {"name": "Eve", "email": "eve@seller.com", **given}
    return dict((await ask(client, ROOT, CREATE, **{"in": values}))["createOwner"])


async def update(client: httpx.AsyncClient, owner: Any, **given: Any) -> Json:
    answer = await ask(client, ROOT, UPDATE, **{"in": {"ownerId": str(owner), **given}})
    return dict(answer["updateOwner"]["owner"])


async def id_of(sql: AsyncConnection, email: str) -> Any:
    return await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": email})


async def test_an_owner_is_a_salesperson_by_default(client: httpx.AsyncClient, world: World) -> None:
    plain = (await create(client, email=" Eve@SELLER.com "))["owner"]
    full = await create(
        client, name="Zoë", email="zoe@seller.com", role="ADMIN", mailboxes=["b@x.example", "A@x.example"],
        timezone="Europe/Istanbul", bookingUrl="https://cal.example/zoe", isDefault=True,
    )  # fmt: skip

    assert plain == {
        "id": plain["id"], "name": "Eve", "email": "eve@seller.com", "role": "SALES", "isDefault": False,
        "active": True, "timezone": None, "bookingUrl": None, "mailboxes": [],
    }  # fmt: skip
    assert full["owner"] == {
        "id": full["owner"]["id"], "name": "Zoë", "email": "zoe@seller.com", "role": "ADMIN", "isDefault": True,
        "active": True, "timezone": "Europe/Istanbul", "bookingUrl": "https://cal.example/zoe",
        "mailboxes": ["a@x.example", "b@x.example"],
    }  # fmt: skip
    assert await ask(client, "zoe@seller.com", "{ me { name } }") == {"me": {"name": "Zoë"}}


async def test_everybody_sees_the_team(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await add_owner(sql, "gone@seller.com", active=False)

    for who in (ADA, READER, ROOT):
        seen = await ask(client, who, "{ owners { email active } }")
        assert [(row["email"], row["active"]) for row in seen["owners"]] == [
            (ADA, True), (BOB, True), ("gone@seller.com", False), (READER, True), (ROOT, True),
        ]  # fmt: skip


BAD: list[tuple[Json, tuple[str, str]]] = [
    ({"name": "two\nlines"}, ("VALIDATION", "name")),
    ({"timezone": "Europe/Atlantis"}, ("VALIDATION", "timezone")),
    ({"timezone": "../../etc/passwd"}, ("VALIDATION", "timezone")),
    ({"timezone": "UTC+3"}, ("VALIDATION", "timezone")),
    ({"bookingUrl": "cal.example/eve"}, ("VALIDATION", "bookingUrl")),
    ({"bookingUrl": "javascript:alert(1)//https://x"}, ("VALIDATION", "bookingUrl")),
    ({"bookingUrl": "https://"}, ("VALIDATION", "bookingUrl")),
    ({"bookingUrl": "https://[::1"}, ("VALIDATION", "bookingUrl")),
    ({"bookingUrl": "https://cal.example/a b"}, ("VALIDATION", "bookingUrl")),
    ({"mailboxes": ["nonsense"]}, ("VALIDATION", "mailboxes")),
    ({"mailboxes": [f"m{i}@x.example" for i in range(201)]}, ("VALIDATION", "mailboxes")),
    ({"mailboxes": ["free@x.example", "Bob@Sender.example"]}, ("CONFLICT", "mailboxes")),
]


async def test_invalid_owners_are_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await update(client, world.bob.owner, mailboxes=["bob@sender.example"])
    addresses = [({"email": "ADA@seller.com"}, ("CONFLICT", "email")), ({"email": "eve"}, ("VALIDATION", "email"))]

    async with unchanged(sql):
        for given, expected in [*BAD, *addresses]:
            values = {"name": "Eve", "email": "eve@seller.com", **given}
            assert reason(await refusal(client, ROOT, CREATE, **{"in": values})) == expected


async def test_invalid_changes_are_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await update(client, world.bob.owner, mailboxes=["bob@sender.example"])
    cleared = [({name: None}, ("VALIDATION", name)) for name in ("name", "role", "isDefault")]
    missing = [({"ownerId": str(uuid.uuid4()), "name": "x"}, ("NOT_FOUND", "ownerId"))]

    async with unchanged(sql):
        for given, expected in [*BAD, *cleared, *missing]:
            values = {"ownerId": str(world.ada.owner), **given}
            assert reason(await refusal(client, ROOT, UPDATE, **{"in": values})) == expected


async def test_absent_fields_stay_and_null_clears(client: httpx.AsyncClient, world: World) -> None:
    ada = world.ada.owner
    before = await update(
        client, ada, timezone="Europe/Berlin", bookingUrl="http://x.example", mailboxes=["a@x.example"]
    )

    same = await update(client, ada)
    moved = await update(client, ada, mailboxes=["b@x.example"])
    cleared = await update(client, ada, timezone=None, bookingUrl=None, mailboxes=None)

    assert before == same
    assert moved == before | {"mailboxes": ["b@x.example"]}
    assert cleared == before | {"timezone": None, "bookingUrl": None, "mailboxes": []}


async def test_a_refused_mailbox_names_its_owner(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await update(client, world.bob.owner, mailboxes=["bob@x.example", "other@x.example"])

    given = {"ownerId": str(world.ada.owner), "mailboxes": ["bob@x.example"]}
    async with unchanged(sql):
        error = await refusal(client, ROOT, UPDATE, **{"in": given})

    assert "bob@x.example belongs to bob@seller.com" in error["message"]
    assert error["extensions"]["otherMailboxes"] == ["other@x.example"]


async def test_there_is_at_most_one_default_owner(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    query = text("SELECT email FROM owners WHERE is_default")
    await update(client, world.ada.owner, isDefault=True)
    await update(client, world.bob.owner, isDefault=True)
    await update(client, world.ada.owner, isDefault=False)
    assert list(await sql.scalars(query)) == [BOB]

    both = [{"ownerId": str(side.owner), "isDefault": True} for side in (world.ada, world.bob)]
    answers = await asyncio.gather(*(send(client, ROOT, UPDATE, **{"in": both[i % 2]}) for i in range(10)))
    assert ["errors" in answer.json() for answer in answers] == [False] * 10
    assert len(list(await sql.scalars(query))) == 1
    await update(client, world.ada.owner, isDefault=False)
    await update(client, world.bob.owner, isDefault=False)
    assert list(await sql.scalars(query)) == []


async def test_an_inactive_owner_can_not_be_the_default(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    inactive = await add_owner(sql, "gone@seller.com", active=False)

    async with unchanged(sql):
        error = await refusal(client, ROOT, UPDATE, **{"in": {"ownerId": str(inactive), "isDefault": True}})

    assert reason(error) == ("CONFLICT", "isDefault")


async def test_the_last_active_admin_stays_an_admin(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    root = str(await id_of(sql, ROOT))
    await add_owner(sql, "former@seller.com", role=Role.ADMIN, active=False)

    async with unchanged(sql):
        demoted = await refusal(client, ROOT, UPDATE, **{"in": {"ownerId": root, "role": "SALES"}})
        refused = await refusal(client, ROOT, DEACTIVATE, **{"in": {"ownerId": root}})

    assert reason(demoted) == ("CONFLICT", "role")
    assert reason(refused) == ("CONFLICT", "ownerId")
    assert (await update(client, root, role="ADMIN", name="Root II"))["name"] == "Root II"


async def test_of_two_admins_deactivated_at_once_one_stays(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    other = await add_owner(sql, "second@seller.com", role=Role.ADMIN)
    root = await id_of(sql, ROOT)
    for who in (ROOT, "second@seller.com"):
        await ask(client, who, "{ __typename }")  # both are known as admins from here on

    answers = await asyncio.gather(
        send(client, ROOT, UPDATE, **{"in": {"ownerId": str(root), "role": "SALES"}}),
        send(client, "second@seller.com", DEACTIVATE, **{"in": {"ownerId": str(other)}}),
    )

    codes = [body["errors"][0]["extensions"]["code"] for body in (a.json() for a in answers) if "errors" in body]
    assert codes == ["CONFLICT"]
    assert await sql.scalar(text("SELECT count(*) FROM owners WHERE role = 'admin' AND active")) == 1


@pytest.mark.usefixtures("short_cache")
async def test_a_role_takes_effect_when_the_cache_expires(client: httpx.AsyncClient, world: World) -> None:
    document = "{ webhooksLog { totalCount } }"
    assert reason(await refusal(client, ADA, document)) == ("FORBIDDEN", None)

    await update(client, world.ada.owner, role="ADMIN")
    await asyncio.sleep(0.11)

    assert await ask(client, ADA, document) == {"webhooksLog": {"totalCount": 0}}


@pytest.mark.usefixtures("short_cache")
async def test_an_owner_is_reactivated(client: httpx.AsyncClient, world: World) -> None:
    await ask(client, ROOT, DEACTIVATE, **{"in": {"ownerId": str(world.ada.owner)}})
    assert (await send(client, ADA, "{ me { id } }")).status_code == 401

    for _ in range(2):
        back = await ask(client, ROOT, ACTIVATE, **{"in": {"ownerId": str(world.ada.owner)}})
        assert back["activateOwner"]["owner"] == {"active": True}

    await asyncio.sleep(0.11)  # a refusal is cached as long as a caller
    assert (await send(client, ADA, "{ me { id } }")).status_code == 200
    error = await refusal(client, ROOT, ACTIVATE, **{"in": {"ownerId": str(uuid.uuid4())}})
    assert reason(error) == ("NOT_FOUND", "ownerId")


async def test_a_repeated_call_adds_one_owner(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    first = await create(client, mailboxes=["eve@x.example"], idempotencyKey="k")
    async with unchanged(sql):
        again = await create(client, mailboxes=["eve@x.example"], idempotencyKey="k")

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["owner"] == again["owner"]


async def test_too_many_owners_are_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "OWNERS_MAX", 4)

    async with unchanged(sql):
        error = await refusal(client, ROOT, CREATE, **{"in": {"name": "Eve", "email": "eve@seller.com"}})

    assert reason(error) == ("CONFLICT", None)


async def test_number_of_statements(client: httpx.AsyncClient, world: World) -> None:
    await ask(client, ROOT, "{ __typename }")
    with recorded() as sent:
        await update(client, world.ada.owner, name="A", role="SALES", mailboxes=[f"m{i}@x.example" for i in range(50)])
    # lock, owner, columns, mailboxes (taken, dropped, added), payload; an admin who is demoted needs one more
    assert len(sent) == 7


async def test_a_readonly_owner_gets_no_contacts(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await update(client, world.ada.owner, isDefault=True)
    async with unchanged(sql):
        for given in (
            {"ownerId": str(world.ada.owner), "role": "READONLY"},
            {"ownerId": str(world.bob.owner), "role": "READONLY", "isDefault": True},
        ):
            error = await refusal(client, ROOT, UPDATE, **{"in": given})
            assert reason(error) == ("CONFLICT", "isDefault")
