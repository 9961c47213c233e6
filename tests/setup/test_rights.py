"""The set-up is for admins: whoever else tries hears FORBIDDEN, whatever they name, and nothing is changed."""

import uuid
from itertools import product
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.graphql.asking import reason, refusal, unchanged
from tests.graphql.world import ADA, READER
from tests.setup.conftest import Board

CALLS: dict[str, dict[str, Any]] = {
    "createPipeline": {"name": "Mine"},
    "updatePipeline": {"pipelineId": "pipeline", "name": "Mine", "isDefault": True},
    "deletePipeline": {"pipelineId": "pipeline"},
    "createStage": {"pipelineId": "pipeline", "key": "mine", "name": "Mine"},
    "updateStage": {"stageId": "talks", "name": "Mine"},
    "reorderStages": {"pipelineId": "pipeline", "stageIds": ()},
    "deleteStage": {"stageId": "talks"},
    "createOwner": {"name": "Eve", "email": "eve@seller.com", "role": "ADMIN"},
    "updateOwner": {"ownerId": "ada", "role": "ADMIN"},
    "deactivateOwner": {"ownerId": "bob", "handOverTo": "ada"},
    "activateOwner": {"ownerId": "bob"},
}


async def test_only_admins_change_the_set_up(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    ids = {"pipeline": board.pipeline, "talks": board.stage["talks"]}
    ids |= {"ada": board.world.ada.owner, "bob": board.world.bob.owner}
    for name, call in CALLS.items():
        there = {key: str(ids[value]) if value in ids else value for key, value in call.items()}
        missing = {key: str(uuid.uuid4()) if there[key] != value else value for key, value in call.items()}
        document = f"mutation ($in: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $in) {{ replayed }} }}"

        async with unchanged(sql):
            for who, given in product((ADA, READER), (there, missing)):
                assert reason(await refusal(client, who, document, **{"in": given})) == ("FORBIDDEN", None), name
