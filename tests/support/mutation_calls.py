"""For every mutation a call by which an admin changes something."""

from typing import Any

import httpx
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type
from graphql import build_schema as read_sdl

from crm_graph.graphql.transport.schema import build_schema
from crm_graph.models import Activity, ActivityType, Contact, WebhookLog
from tests.support.api import Json, ask
from tests.support.endpoints import add_delivery, add_endpoint, add_event
from tests.support.factories import ROOT, START, Side, add, add_owner
from tests.support.pipelines import Board

SCHEMA: GraphQLSchema = read_sdl(build_schema().as_str())
# Words with a dollar are ids: see `ids`.
CALLS: dict[str, Json] = {
    "createDeal": {"title": "New", "contactId": "$contact"},
    "updateDeal": {"dealId": "$deal", "title": "Renamed"},
    "moveDealStage": {"dealId": "$deal", "stageId": "$qualified"},
    "markDealWon": {"dealId": "$deal"},
    "markDealLost": {"dealId": "$deal", "reason": "No budget"},
    "reopenDeal": {"dealId": "$deal"},
    "deleteDeal": {"dealId": "$deal"},
    "restoreDeal": {"dealId": "$deal"},
    "assignDeal": {"dealId": "$deal", "ownerId": None},
    "claimDeal": {"dealId": "$deal"},
    "addDealMember": {"dealId": "$deal", "ownerId": "$helper"},
    "removeDealMember": {"dealId": "$deal", "ownerId": "$helper"},
    "upsertContact": {"email": "new@fresh.example", "fullName": "New"},
    "updateContact": {"contactId": "$contact", "fullName": "Renamed"},
    "deleteContact": {"contactId": "$contact"},
    "restoreContact": {"contactId": "$contact"},
    "setDoNotContact": {"contactId": "$contact", "reason": "Asked by phone"},
    "liftDoNotContact": {"contactId": "$contact", "reason": "Asked again"},
    "assignContact": {"contactId": "$contact", "ownerId": None},
    "claimContact": {"contactId": "$contact"},
    "mergeContacts": {"survivorId": "$contact", "loserId": "$second"},
    "eraseContact": {"contactId": "$contact"},
    "liftSuppression": {"email": "$email"},
    "setReplyStatus": {"contactId": "$contact", "status": "QUESTION"},
    "upsertCompany": {"domain": "fresh.example", "name": "Fresh"},
    "updateCompany": {"companyId": "$company", "size": "5"},
    "logActivity": {"contactId": "$contact", "type": "CALL", "content": "Was not in"},
    "createTask": {"contactId": "$contact", "content": "Call back"},
    "updateTask": {"taskId": "$task", "content": "Write"},
    "completeTask": {"taskId": "$task"},
    "reopenTask": {"taskId": "$task"},
    "createPipeline": {"name": "Second"},
    "updatePipeline": {"pipelineId": "$pipeline", "name": "Renamed"},
    "deletePipeline": {"pipelineId": "$pipeline"},
    "createStage": {"pipelineId": "$pipeline", "key": "more", "name": "More"},
    "updateStage": {"stageId": "$talks", "name": "Renamed"},
    "reorderStages": {"pipelineId": "$pipeline", "stageIds": ["$talks", "$new", "$won", "$lost"]},
    "deleteStage": {"stageId": "$talks"},
    "createOwner": {"name": "Eve", "email": "eve@seller.com", "role": "SALES"},
    "updateOwner": {"ownerId": "$owner", "name": "Renamed"},
    "deactivateOwner": {"ownerId": "$owner"},
    "activateOwner": {"ownerId": "$owner"},
    "upsertContacts": {"items": [{"email": "new@fresh.example"}]},
    "moveDeals": {"items": [{"dealId": "$deal", "stageId": "$qualified"}]},
    "replayWebhook": {"webhookId": "$webhook"},
    "createWebhookEndpoint": {"url": "https://1.1.1.1/new", "eventTypes": ["DEAL_CREATED"], "headers": {"X-A": "b"}},
    "updateWebhookEndpoint": {"endpointId": "$endpoint", "eventTypes": ["DEAL_UPDATED"]},
    "deleteWebhookEndpoint": {"endpointId": "$endpoint"},
    "rotateWebhookSecret": {"endpointId": "$endpoint"},
    "testWebhookEndpoint": {"endpointId": "$endpoint"},
    "replayDelivery": {"deliveryId": "$delivery"},
    "replayDeliveries": {"endpointId": "$endpoint", "since": START.isoformat()},
}
AFTER = {  # what must have happened before, for the call to have an effect
    "reopenDeal": "markDealWon", "restoreDeal": "deleteDeal", "restoreContact": "deleteContact",
    "liftDoNotContact": "setDoNotContact", "liftSuppression": "eraseContact", "reopenTask": "completeTask",
    "activateOwner": "deactivateOwner", "removeDealMember": "addDealMember",
}  # fmt: skip
OWNED = {"$deal", "$contact", "$second", "$task", "$endpoint", "$delivery"}  # what the owner rule hides
OF_THE_POOL = {"claimDeal", "claimContact"}


def document(name: str) -> str:
    """The mutation with its whole payload, of rows their ids."""
    field = mutations()[name]
    return f"mutation ($in: {get_named_type(field.args['input'].type)}!) {{ done: {name}(input: $in) {_shown(field)} }}"


def mutations() -> Any:
    """The schema's mutations by their names."""
    return SCHEMA.type_map["Mutation"].fields  # type: ignore[attr-defined]


def _shown(field: Any, depth: int = 0) -> str:
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        return ""
    assert isinstance(type_, GraphQLObjectType)
    if "id" in type_.fields and depth:
        return "{ id }"
    return "{ " + " ".join(f"{name} {_shown(one, depth + 1)}" for name, one in type_.fields.items()) + " }"


async def ids(board: Board, side: Side) -> dict[str, str]:
    """What the words with a dollar mean for that side, whose second contact, task and event are made now."""
    sql, owner = board.sql, side.owner
    own = {"deal": side.deal, "contact": side.contact, "email": side.email, "owner": owner}
    own["second"] = await add(sql, Contact, email=f"second.{side.email}", owner_id=owner)
    own["helper"] = await add_owner(sql, f"helper.{side.email}")
    task: Json = {"content": "Call", "contact_id": side.contact, "assignee_id": owner, "occurred_at": START}
    own["task"] = await add(sql, Activity, type=ActivityType.TASK, **task)
    event: Json = {"source": "instantly", "event_type": "x", "dedupe_key": side.email, "body": b"{}"}
    own["webhook"] = await add(sql, WebhookLog, **event, received_at=START, status="error")
    if owner is not None:
        own["endpoint"] = await add_endpoint(sql, owner)
        own["delivery"] = await add_delivery(sql, own["endpoint"], await add_event(sql, owner))
    shared = {"company": board.world.company, "qualified": board.world.stage["qualified"], "pipeline": board.pipeline}
    return {f"${name}": str(id_) for name, id_ in (own | shared | board.stage).items()}


def filled_in(given: Any, known: dict[str, str]) -> Any:
    """An input with what its words mean."""
    if isinstance(given, dict):
        return {name: filled_in(value, known) for name, value in given.items()}
    if isinstance(given, list):
        return [filled_in(value, known) for value in given]
    return known.get(given, given)


async def prepare(client: httpx.AsyncClient, name: str, known: dict[str, str]) -> None:
    """Do what must have happened before that call."""
    if name in AFTER:
        await ask(client, ROOT, document(AFTER[name]), **{"in": filled_in(CALLS[AFTER[name]], known)})
