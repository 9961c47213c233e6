"""What every mutation tells: these events and no others, once, and nothing when it is refused."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.graphql.mutations.test_all_mutations import WITHOUT_KEY, possible
from tests.support.api import Json, ask, refusal
from tests.support.events import telling
from tests.support.factories import READER, ROOT
from tests.support.mutation_calls import CALLS, document
from tests.support.pipelines import Board

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


def test_of_every_mutation_is_known_what_it_tells() -> None:
    assert set(EVENTS) | SILENT == set(CALLS)
    assert not set(EVENTS) & SILENT


@pytest.mark.parametrize("name", CALLS)
async def test_a_mutation_tells_what_it_did_once(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    given = await possible(client, board, name) | ({} if name in WITHOUT_KEY else {"idempotencyKey": "once"})

    async with telling(sql) as refused:
        await refusal(client, READER, document(name), **{"in": given})
    async with telling(sql) as events:
        await ask(client, ROOT, document(name), **{"in": given})
    async with telling(sql) as again:
        await ask(client, ROOT, document(name), **{"in": given})

    assert refused == again == []
    assert sorted(map(_summary, (event.payload for event in events))) == EVENTS.get(name, [])
    assert {event.source for event in events} <= {"graphql"}


def _summary(payload: Json) -> str:
    changes = payload["data"].get("changes")
    return f"{payload['type']}: {', '.join(sorted(changes))}" if changes else str(payload["type"])
