"""What holds for every mutation there is: retries, readers, what is for admins, a colleague's rows, and its events."""

import uuid

import httpx
import pytest
from graphql import get_named_type
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from tests.support.api import Json, ask, reason, refusal
from tests.support.database import changed, recorded, unchanged
from tests.support.events import new_events
from tests.support.factories import ADA, READER, ROOT
from tests.support.mutation_calls import CALLS, OF_THE_POOL, OWNED, document, filled_in, ids, mutations, prepare
from tests.support.pipelines import Board

pytestmark = pytest.mark.slow

WITHOUT_KEY = {"replayWebhook"}  # events have keys of their own
FOR_ADMINS = [name for name, field in mutations().items() if (field.description or "").startswith("For admins")]
SHOWN_ONCE = {"createWebhookEndpoint": {"secret": None}, "rotateWebhookSecret": {"secret": None}}
HIDDEN = dict.fromkeys(OWNED, "")
STATEMENTS = {  # of a call with a key, which are two more: a higher number has to be intended
    name: count
    for count, names in {
        3: "deleteDeal deleteContact liftSuppression deleteWebhookEndpoint",
        4: """updateDeal moveDealStage markDealWon markDealLost reopenDeal restoreDeal assignDeal claimDeal
            updateContact restoreContact setDoNotContact liftDoNotContact assignContact claimContact mergeContacts
            updateCompany updateTask completeTask reopenTask updateWebhookEndpoint""",
        5: """createDeal upsertCompany logActivity createTask updatePipeline updateStage reorderStages updateOwner
            activateOwner rotateWebhookSecret replayDeliveries addDealMember removeDealMember""",
        6: "upsertContact setReplyStatus createOwner moveDeals createWebhookEndpoint",
        7: "createPipeline deletePipeline createStage upsertContacts replayDelivery testWebhookEndpoint",
        8: "deleteStage",
        13: "deactivateOwner",
        15: "eraseContact",
    }.items()
    for name in names.split()
}
# With what of the row has changed. The deals of ada's contact are hers and one of bob's.
EVENTS: dict[str, list[str]] = {
    "createDeal": ["deal_created"],
    "updateDeal": ["deal_updated: title"],
    "moveDealStage": ["deal_stage_changed"],
    "markDealWon": ["deal_stage_changed"],
    "markDealLost": ["deal_stage_changed"],
    "reopenDeal": ["deal_stage_changed"],
    "deleteDeal": ["deal_updated: deleted_at"],
    "restoreDeal": ["deal_updated: deleted_at"],
    "assignDeal": ["deal_updated: owner_id"],
    "claimDeal": ["deal_updated: owner_id"],
    "addDealMember": ["deal_updated: member_ids"],
    "removeDealMember": ["deal_updated: member_ids"],
    "upsertContact": ["contact_created"],
    "updateContact": ["contact_updated: full_name"],
    "deleteContact": ["contact_updated: deleted_at"],
    "restoreContact": ["contact_updated: deleted_at"],
    "setDoNotContact": ["contact_updated: do_not_contact_at, do_not_contact_reason"],
    "liftDoNotContact": ["contact_updated: do_not_contact_at, do_not_contact_reason"],
    "assignContact": ["contact_updated: owner_id", "deal_updated: owner_id"],
    "claimContact": ["contact_updated: owner_id", "deal_updated: owner_id"],
    "mergeContacts": ["contact_updated: deleted_at, merged_into_id"],
    "eraseContact": ["contact_erased", "deal_updated: title", "deal_updated: title"],
    "setReplyStatus": ["contact_status_changed"],
    "upsertCompany": ["activity_logged"],
    "updateCompany": ["activity_logged"],
    "logActivity": ["activity_logged"],
    "createTask": ["activity_logged"],
    "updateTask": ["activity_logged"],
    "completeTask": ["activity_logged"],
    "reopenTask": ["activity_logged"],
    "deactivateOwner": ["activity_logged", *["contact_updated: owner_id"] * 2, *["deal_updated: owner_id"] * 2],
    "upsertContacts": ["contact_created"],
    "moveDeals": ["deal_stage_changed"],
    "testWebhookEndpoint": ["test"],
}
# Those of the set-up, and what their own tests have events for.
SILENT = {
    "liftSuppression", "createPipeline", "updatePipeline", "deletePipeline", "createStage", "updateStage",
    "reorderStages", "deleteStage", "createOwner", "updateOwner", "activateOwner", "replayWebhook",
    "createWebhookEndpoint", "updateWebhookEndpoint", "deleteWebhookEndpoint", "rotateWebhookSecret",
    "replayDelivery", "replayDeliveries",
}  # fmt: skip


def test_every_mutation_is_called_here() -> None:
    assert set(CALLS) == set(mutations()) == set(STATEMENTS) | WITHOUT_KEY


@pytest.mark.parametrize("name", CALLS)
def test_every_mutation_takes_a_key_and_says_whether_it_was_replayed(name: str) -> None:
    field = mutations()[name]
    key = get_named_type(field.args["input"].type).fields.get("idempotencyKey")
    replayed = get_named_type(field.type).fields.get("replayed")

    types = [one and str(one.type) for one in (key, replayed)]
    assert types == ([None, None] if name in WITHOUT_KEY else ["String", "Boolean!"])


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_retry_changes_nothing_and_is_answered_like_the_first_call(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection, database: Database
) -> None:
    given = await possible(client, board, name) | {"idempotencyKey": "once"}
    async with database.transaction() as session:
        await session.scalar(text("SELECT 1"))  # SQLAlchemy asks a new server about itself
    await ask(client, ROOT, "{ __typename }")  # looks the caller up

    async with changed(sql):
        with recorded() as sent:
            first = (await ask(client, ROOT, document(name), **{"in": given}))["done"]
    async with unchanged(sql):
        with recorded() as sent_again:
            again = (await ask(client, ROOT, document(name), **{"in": given}))["done"]

    assert first["replayed"] is False
    assert again == first | {"replayed": True} | SHOWN_ONCE.get(name, {})
    assert len(sent) == STATEMENTS[name], sent
    assert len(sent_again) <= 3, sent_again  # the key, what it holds, the payload


@pytest.mark.parametrize("name", CALLS)
async def test_a_reader_is_refused_what_an_admin_can_do(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    given = await possible(client, board, name)

    async with unchanged(sql):
        assert reason(await refusal(client, READER, document(name), **{"in": given})) == ("FORBIDDEN", None)

    async with changed(sql):
        await ask(client, ROOT, document(name), **{"in": given})


@pytest.mark.parametrize("name", FOR_ADMINS)
async def test_what_is_for_admins_is_forbidden_to_others_whatever_they_name(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    known = await ids(board, board.world.ada) | {"$owner": str(board.world.bob.owner)}
    await prepare(client, name, known)
    missing = {word: id_ if word in OWNED else str(uuid.uuid4()) for word, id_ in known.items()}

    async with unchanged(sql):
        for words in (known, missing):
            error = await refusal(client, ADA, document(name), **{"in": filled_in(CALLS[name], words)})
            assert error["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("name", [name for name, given in CALLS.items() if filled_in(given, HIDDEN) != given])
async def test_a_colleagues_rows_are_refused_like_rows_that_do_not_exist(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    known = await ids(board, board.world.bob)
    await prepare(client, name, known)
    missing = {word: str(uuid.uuid4()) if word in OWNED else id_ for word, id_ in known.items()}

    async with unchanged(sql):
        of_a_colleague = await refusal(client, ADA, document(name), **{"in": filled_in(CALLS[name], known)})
        of_no_one = await refusal(client, ADA, document(name), **{"in": filled_in(CALLS[name], missing)})

    assert of_a_colleague == of_no_one
    assert of_a_colleague["extensions"]["code"] == ("FORBIDDEN" if name == "eraseContact" else "NOT_FOUND")


async def possible(client: httpx.AsyncClient, board: Board, name: str) -> Json:
    """The input of a call by which an admin changes something."""
    known = await ids(board, board.world.pool if name in OF_THE_POOL else board.world.ada)
    await prepare(client, name, known)
    return dict(filled_in(CALLS[name], known))


def test_of_every_mutation_is_known_what_it_tells() -> None:
    assert set(EVENTS) | SILENT == set(CALLS)
    assert not set(EVENTS) & SILENT


@pytest.mark.parametrize("name", CALLS)
async def test_a_mutation_tells_what_it_did_once(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    given = await possible(client, board, name) | ({} if name in WITHOUT_KEY else {"idempotencyKey": "once"})

    async with new_events(sql) as refused:
        await refusal(client, READER, document(name), **{"in": given})
    async with new_events(sql) as events:
        await ask(client, ROOT, document(name), **{"in": given})
    async with new_events(sql) as again:
        await ask(client, ROOT, document(name), **{"in": given})

    assert refused == again == []
    assert sorted(map(_summary, (event.payload for event in events))) == EVENTS.get(name, [])
    assert {event.source for event in events} <= {"graphql"}


def _summary(payload: Json) -> str:
    changes = payload["data"].get("changes")
    return f"{payload['type']}: {', '.join(sorted(changes))}" if changes else str(payload["type"])
