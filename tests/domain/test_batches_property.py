"""Bulk calls equal single calls: over random items, they leave the same rows and return the same errors."""

import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database, Transaction
from crm_graph.domain.batches import ItemResult
from crm_graph.domain.companies import match
from crm_graph.domain.companies.match import CompanyHint
from crm_graph.domain.contacts import upsert
from crm_graph.domain.deals import bulk_moves, moves
from crm_graph.domain.deals.bulk_moves import Move
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import CrmError
from crm_graph.identity.principal import Principal
from crm_graph.models import ActivityType, Company, ContactEmail, LifecycleStage, Role, Suppression, table
from tests.support.factories import START, World, add, add_note

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ABSENT = object()
CONTACTS = """SELECT to_jsonb(contacts) - 'id' - 'company_id' || jsonb_build_object('company', c.name || '/' ||
    coalesce(c.domain, '')) FROM contacts LEFT JOIN companies c ON c.id = company_id"""
COMPANIES = "SELECT name || '/' || name_key || '/' || coalesce(domain, '') FROM companies"
ENTRIES = """SELECT to_jsonb(a) - 'id' - 'created_at' - 'contact_id' || jsonb_build_object('email', contacts.email,
    'meta_json', a.meta_json #- '{changes,company_id}', 'old', (SELECT name FROM companies
      WHERE id::text = a.meta_json #>> '{changes,company_id,old}'),
    'new', (SELECT name FROM companies WHERE id::text = a.meta_json #>> '{changes,company_id,new}'))
    FROM activities a JOIN contacts ON contacts.id = contact_id"""
DEALS = "SELECT to_jsonb(deals) - 'rank' FROM deals"
HISTORY = "SELECT to_jsonb(deal_stage_history) - 'id' FROM deal_stage_history"
ALL_ENTRIES = "SELECT to_jsonb(activities) - 'id' - 'created_at' FROM activities"
BOARD = "SELECT stage_id, id FROM deals ORDER BY stage_id, rank, id"


class Undone(Exception):
    """Ends a transaction without a trace."""


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that is rolled back."""
    try:
        async with database.transaction() as session:
            yield session
            raise Undone
    except Undone:
        pass


async def state(session: Transaction, *queries: str) -> list[list[Any]]:
    """What is stored, except random ids."""
    return [sorted(map(repr, await session.scalars(text(query)))) for query in queries]


async def result_of(call: Coroutine[Any, Any, Any]) -> Any:
    """The result or the error of a single call."""
    try:
        return await call
    except CrmError as error:
        return _error(error)


def _error(error: CrmError) -> tuple[str, str, str | None]:
    return error.code, error.message, error.field


@pytest.fixture
async def world(world: World, sql: AsyncConnection) -> World:
    """The team, with an alias, a deleted contact, an erased person, tasks, and a company that has no name yet."""
    await sql.execute(table(ContactEmail).insert().values(email="alias@acme.example", contact_id=world.ada.contact))
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE owner_id IS NULL"))
    hmac = text("crm_address_hmac('erased@x.example')")
    await sql.execute(table(Suppression).insert().values(address_hmac=hmac, suppressed_at=START))
    await add(sql, Company, name="later.example", name_key="later example", domain="later.example")
    await add(sql, Company, name="Fresh", name_key="fresh")
    for contact in (world.ada.contact, world.pool.contact):
        await add_note(sql, contact, None, "task", type=ActivityType.TASK, assignee_id=world.ada.owner)
    return world


def maybe(*values: Any) -> Any:
    """A value, or (as often as not) nothing."""
    return st.one_of(st.just(ABSENT), st.sampled_from(values))


NEW = ["a@fresh.example", "B@Fresh.example", "c@later.example", "d@later.example", "e@gmail.com", "f@gmail.com"]
OTHERS = ["ada", "alias", "bob", "pool", "erased@x.example", "nonsense"]
addresses = st.lists(st.sampled_from(NEW + OTHERS), unique=True, max_size=8).filter(
    lambda drawn: not {"ada", "alias"} <= set(drawn)
)
fields = st.fixed_dictionaries(
    {
        "full_name": maybe(None, "Jane", "x" * 501),
        "company_name": maybe(None, "", "Fresh", "FRESH  ltd", "later.example", "Later", "\N{ROCKET}"),
        "company_id": maybe(None, "acme", "nobody"),
        "owner_id": maybe(None, "ada", "bob"),
        "lifecycle_stage": maybe(LifecycleStage.QUALIFIED, None),
        "custom": maybe(None, {}, {"a": None}, {"a": {"b": 1, "c": None}}, {"x": [1]}, [1]),
        "expected_version": maybe(None, 1, 3),
    }
)


@given(st.data(), st.sampled_from([Role.SALES, Role.ADMIN]), st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_upserts_of_contacts(database: Database, world: World, data: Any, role: Role, restore: bool) -> None:
    principal = Principal(world.ada.owner, role)
    known = {"ada": world.ada.email, "bob": world.bob.email, "pool": world.pool.email, "alias": "alias@acme.example"}
    ids = {"ada": world.ada.owner, "bob": world.bob.owner, "acme": world.company, "nobody": uuid.UUID(int=7)}
    items = []
    for address in data.draw(addresses):
        drawn = {name: value for name, value in data.draw(fields).items() if value is not ABSENT}
        drawn |= {name: ids[drawn[name]] for name in ("company_id", "owner_id") if drawn.get(name)}
        items.append({"email": known.get(address, address), **drawn})

    async with undone(database) as session:
        calls = [
            upsert.upsert(UnitOfWork(session, principal, NOW), item=item, restore_deleted=restore) for item in items
        ]
        single = [await result_of(call) for call in calls]
        expected = await state(session, CONTACTS, COMPANIES, ENTRIES)
    async with undone(database) as session:
        many = await upsert.upsert_all(UnitOfWork(session, principal, NOW), items=items, restore_deleted=restore)
        found = await state(session, CONTACTS, COMPANIES, ENTRIES)

    assert found == expected
    for bulk_result, result in zip(many, single, strict=True):
        assert _is_new(bulk_result) == (result if isinstance(result[1], str) else result[1])


def _is_new(result: ItemResult) -> Any:
    return _error(result.error) if result.error else result.created


names = st.sampled_from([None, "", "Fresh", "later.example", "Later", "LATER", "\N{ROCKET}"])
domains = st.sampled_from([None, "fresh.example", "later.example", "acme.example"])


@given(st.lists(st.builds(CompanyHint, names, domains), min_size=2, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_companies_of_contacts(database: Database, world: World, hints: list[CompanyHint]) -> None:
    async def kinds(session: Transaction, ids: list[uuid.UUID | None]) -> list[Any]:
        found = {row.id: (row.name, row.domain) for row in await session.execute(table(Company).select())}
        return [found[id_] if id_ else None for id_ in ids]

    async with undone(database) as session:
        single = [await match.find_or_create(session, hint) for hint in hints]
        expected = await kinds(session, single), await state(session, COMPANIES)
    async with undone(database) as session:
        many = await match.find_or_create_all(session, hints)
        assert (await kinds(session, many), await state(session, COMPANIES)) == expected


@given(st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_moves(database: Database, world: World, sql: AsyncConnection, data: Any) -> None:
    principal = Principal(world.ada.owner, Role.SALES)
    deals = [world.ada.deal, world.bob.deal, world.pool.deal, world.ada.cross, world.pool.cross, uuid.UUID(int=7)]
    stages = [world.stage[key] for key in ("new", "qualified", "won", "lost")] + [uuid.UUID(int=7)]
    times = [None, START - timedelta(days=1), START + timedelta(days=1), NOW + timedelta(days=1)]
    drawn = data.draw(st.lists(st.sampled_from(deals), unique=True))
    items = [
        Move(
            deal_id,
            data.draw(st.sampled_from(stages)),
            occurred_at=data.draw(st.sampled_from(times)),
            expected_version=data.draw(st.sampled_from([None, 1, 2])),
        )
        for deal_id in drawn
    ]

    async with undone(database) as session:
        calls = [moves.move_stage(UnitOfWork(session, principal, NOW), **asdict(item)) for item in reversed(items)]
        single = [await result_of(call) for call in calls]
        expected = await state(session, DEALS, HISTORY, ALL_ENTRIES)
        board = list(await session.execute(text(BOARD)))
    async with undone(database) as session:
        many = await bulk_moves.move_all(UnitOfWork(session, principal, NOW), items=items)
        found = await state(session, DEALS, HISTORY, ALL_ENTRIES)
        assert list(await session.execute(text(BOARD))) == board, "the first item on top"

    assert found == expected
    assert [_error(one.error) if one.error else one.id for one in many] == single[::-1]
