"""The owner rule as a table: for each kind of row, exactly those that each role sees, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph.database.engine import Database
from crm_graph.identity.access import may_see_change, restorable, visible
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    Activity,
    Company,
    Contact,
    Deal,
    DealStageHistory,
    Event,
    Owner,
    ReplyVerdict,
    Role,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLog,
    table,
)
from tests.support.endpoints import add_delivery, add_endpoint, add_event
from tests.support.factories import START, World, add, add_owner

SIDES = ("ada", "bob", "pool")
MINE = {"ada", "pool"}  # of Ada, who is in sales: her own rows and the unassigned pool
ALL = set(SIDES)
NAMES = ("ada", "bob", "reader", "root")


@dataclass
class Rows:
    """Rows by kind and name, and the owners who look at them."""

    ids: dict[type[SQLModel], dict[str, Any]]
    owners: dict[str, Any]

    def name_of(self, model: type[SQLModel], id_: Any) -> str | None:
        """The name of a row; None for those that triggers wrote."""
        return next((name for name, known in self.ids[model].items() if known == id_), None)

    def principal(self, who: str) -> Principal:
        """One of the owners."""
        role = {"reader": Role.READONLY, "root": Role.ADMIN}.get(who, Role.SALES)
        return Principal(self.owners[who], role)


@pytest.fixture
async def rows(world: World, sql: AsyncConnection) -> Rows:
    """One row of each kind for each side, some that are deleted, and everybody's endpoint with what was sent there."""
    owners = {row.name.lower(): row.id for row in await sql.execute(select(table(Owner)))}
    sides = {"ada": world.ada, "bob": world.bob, "pool": world.pool}
    contacts = {name: side.contact for name, side in sides.items()}
    deals = {name: side.deal for name, side in sides.items()}
    gone: Mapping[str, Any] = {"owner_id": owners["ada"], "deleted_at": START}
    contacts["deleted"] = await add(sql, Contact, email="deleted@acme.example", **gone)
    contacts["erased"] = await add(sql, Contact, email="erased@acme.example", erased_at=START, **gone)
    contacts["merged"] = await add(
        sql, Contact, email="merged@acme.example", erased_at=START, merged_into_id=world.ada.contact, **gone
    )
    place = {"pipeline_id": world.stage["pipeline"], "stage_id": world.stage["new"], "rank": "b", "currency": "USD"}
    deals["deleted"] = await add(sql, Deal, title="deleted", **gone, **place)
    ids: dict[type[SQLModel], dict[str, Any]] = {Contact: contacts, Deal: deals, Company: {"acme": world.company}}
    move = {"to_stage_id": world.stage["new"], "moved_at": START, "source": "rows"}
    ids[DealStageHistory] = {
        name: await add(sql, DealStageHistory, deal_id=deal, **move) for name, deal in deals.items()
    }
    note = {"type": "note", "content": "rows", "occurred_at": START}
    ids[Activity] = {
        "company's": await add(sql, Activity, company_id=world.company, **note),
        **{f"{name} contact's": await add(sql, Activity, contact_id=id_, **note) for name, id_ in contacts.items()},
        **{f"{name} deal's": await add(sql, Activity, deal_id=id_, **note) for name, id_ in deals.items()},
        "both ada's and bob's": await add(sql, Activity, contact_id=contacts["ada"], deal_id=deals["bob"], **note),
        "both bob's and ada's": await add(sql, Activity, contact_id=contacts["bob"], deal_id=deals["ada"], **note),
    }
    verdict = {"source": "rules", "status": "interested", "judged_at": START}
    ids[ReplyVerdict] = {n: await add(sql, ReplyVerdict, contact_id=id_, **verdict) for n, id_ in contacts.items()}
    logged = {"source": "calcom", "event_type": "x", "dedupe_key": "k", "body": b"{}", "status": "processed"}
    ids[WebhookLog] = {"one": await add(sql, WebhookLog, received_at=START, **logged)}
    return Rows(ids | await _sent(sql, owners), owners)


async def _sent(sql: AsyncConnection, owners: Mapping[str, Any]) -> dict[type[SQLModel], dict[str, Any]]:
    endpoints = {name: await add_endpoint(sql, owners[name]) for name in NAMES}
    events = {name: await add_event(sql, owners["ada"]) for name in (*NAMES, "ada and bob", "no one")}
    sent_to = {name: (name, name) for name in NAMES} | {
        "both ada": ("ada", "ada and bob"),
        "both bob": ("bob", "ada and bob"),
    }
    deliveries = {name: await add_delivery(sql, endpoints[to], events[event]) for name, (to, event) in sent_to.items()}
    attempt = {"attempted_at": START, "duration_ms": 1}
    attempts = {
        name: await add(sql, WebhookAttempt, delivery_id=delivery, **attempt) for name, delivery in deliveries.items()
    }
    return {WebhookEndpoint: endpoints, Event: events, WebhookDelivery: deliveries, WebhookAttempt: attempts}


async def seen(database: Database, rows: Rows, model: type[SQLModel], rule: ColumnElement[bool]) -> set[str]:
    """The names of the rows that meet a rule; those that triggers wrote are left out."""
    async with database.read() as connection:
        found = list(await connection.scalars(select(table(model).c.id).where(rule)))
    return {name for id_ in found if (name := rows.name_of(model, id_)) is not None}


NOTES = {f"{side} {of}" for side in SIDES for of in ("contact's", "deal's")}
NOTES |= {"company's", "both ada's and bob's", "both bob's and ada's"}
ENDLESS = NOTES | {f"{gone} contact's" for gone in ("deleted", "erased", "merged")} | {"deleted deal's"}
SENT = {*NAMES, "both ada", "both bob"}
VERDICTS = ALL | {"deleted", "erased", "merged"}
# What Ada (sales), a reader and an admin see.
EXPECTED: dict[type[SQLModel], tuple[set[str], set[str], set[str]]] = {
    Contact: (MINE, ALL, ALL),
    Deal: (MINE, ALL, ALL),
    Company: ({"acme"}, {"acme"}, {"acme"}),
    DealStageHistory: (MINE, ALL, ALL),
    Activity: (NOTES - {"bob contact's", "bob deal's"}, ENDLESS, ENDLESS),
    ReplyVerdict: (MINE, VERDICTS, VERDICTS),
    WebhookLog: (set(), set(), {"one"}),
    WebhookEndpoint: ({"ada"}, {"reader"}, set(NAMES)),
    WebhookDelivery: ({"ada", "both ada"}, {"reader"}, SENT),
    WebhookAttempt: ({"ada", "both ada"}, {"reader"}, SENT),
    Event: ({"ada", "ada and bob"}, {"reader"}, {*NAMES, "ada and bob", "no one"}),
}


async def test_each_role_sees_exactly_its_rows(rows: Rows, database: Database) -> None:
    for model, expected in EXPECTED.items():
        for who, names in zip(("ada", "reader", "root"), expected, strict=True):
            rule = visible(model, rows.principal(who))
            assert await seen(database, rows, model, rule) == names, (model.__name__, who)


async def test_figures_count_the_erased_but_not_the_merged(rows: Rows, database: Database) -> None:
    ada, root = rows.principal("ada"), rows.principal("root")

    assert await seen(database, rows, Contact, visible(Contact, ada, erased=True)) == {*MINE, "erased"}
    assert await seen(database, rows, Contact, visible(Contact, root, erased=True)) == {*ALL, "erased"}
    assert await seen(database, rows, ReplyVerdict, visible(ReplyVerdict, ada, erased=True)) == {*MINE, "erased"}
    notes = await seen(database, rows, Activity, visible(Activity, ada, erased=True))
    assert notes == EXPECTED[Activity][0] | {"erased contact's"}
    assert await seen(database, rows, Deal, visible(Deal, ada, erased=True)) == MINE


async def test_only_deleted_rows_of_ones_own_can_be_restored(
    rows: Rows, database: Database, sql: AsyncConnection
) -> None:
    gone = {"deleted", "erased", "merged"}
    for model, names in ((Contact, gone), (Deal, {"deleted"})):
        for who, expected in (("ada", names), ("bob", set()), ("reader", names), ("root", names)):
            assert await seen(database, rows, model, restorable(model, rows.principal(who))) == expected, who

    await sql.execute(text("UPDATE deals SET owner_id = NULL WHERE title = 'deleted'"))
    assert await seen(database, rows, Deal, restorable(Deal, rows.principal("bob"))) == {"deleted"}


async def test_a_new_owner_changes_what_is_seen(rows: Rows, database: Database, sql: AsyncConnection) -> None:
    carl = await add_owner(sql, "carl@seller.com")
    principal = Principal(carl, Role.SALES)

    assert await seen(database, rows, Deal, visible(Deal, principal)) == {"pool"}
    for model in (WebhookEndpoint, WebhookDelivery, WebhookAttempt, Event):
        assert await seen(database, rows, model, visible(model, principal)) == set()


async def test_a_change_concerns_the_owners_before_and_after(rows: Rows) -> None:
    owners = rows.owners
    for who, expected in (("ada", (True, True, False)), ("reader", (True, True, True)), ("root", (True, True, True))):
        principal = rows.principal(who)
        concerns = ({owners["bob"], owners["ada"]}, {owners["bob"], None}, {owners["bob"]})
        assert tuple(may_see_change(principal, frozenset(each)) for each in concerns) == expected, who
