"""Control characters are refused in every text that a mutation takes, by the name of its field."""

import httpx
import pytest
from graphql import GraphQLInputObjectType, get_named_type
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import reason, refusal
from tests.support.database import unchanged
from tests.support.factories import ROOT
from tests.support.mutation_calls import CALLS, document, filled_in, ids, mutations, prepare
from tests.support.pipelines import Board

pytestmark = pytest.mark.slow

SEVERAL_LINES = {"content", "notes", "outcome", "reason", "summary"}


def text_fields(name: str) -> list[str]:
    """The fields of a mutation's input that are texts."""
    type_ = get_named_type(mutations()[name].args["input"].type)
    assert isinstance(type_, GraphQLInputObjectType)
    return [field for field, one in type_.fields.items() if str(get_named_type(one.type)) == "String"]


@pytest.mark.parametrize("name", [name for name in CALLS if text_fields(name)])
async def test_a_control_character_is_refused_by_field_name(
    name: str, client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    known = await ids(board, board.world.ada)
    await prepare(client, name, known)
    given = {key: value for key, value in filled_in(CALLS[name], known).items() if name != "eraseContact"}
    async with unchanged(sql):
        for field in text_fields(name):
            bad = ["a\x00b", "a\x07b", "a\x1b[31mb", "a\x7fb", "a\x9bb"] + ([] if field in SEVERAL_LINES else ["a\nb"])
            for value in bad:
                listed = [value] if field == "mailboxes" else value
                error = await refusal(client, ROOT, document(name), **{"in": {**given, field: listed}})
                assert reason(error) == ("VALIDATION", field), (field, value, error)
