"""Asking the API as a client does, as an owner with a valid token."""

import json
from datetime import timedelta
from typing import Any

import httpx

from crm_graph.identity.tokens import Tokens
from crm_graph.values import utc_now
from tests.support.credentials import JWT_SECRET

Json = dict[str, Any]


async def send(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> httpx.Response:
    """The raw answer to a document run as the owner `who` (an id or e-mail)."""
    body = json.dumps({"query": document, "variables": variables})  # in ASCII: a lone surrogate travels as \ud800
    return await client.post("/graphql", content=body, headers=bearer(who) | {"Content-Type": "application/json"})


async def ask(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> Any:
    """The data of an answer that must have no errors."""
    answer = await send(client, who, document, **variables)
    body = answer.json()
    assert answer.status_code == 200, body
    assert "errors" not in body, body
    return body["data"]


async def refusal(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> Json:
    """The one error of an answer that has no data; its code must lead the message."""
    answer = await send(client, who, document, **variables)
    body = answer.json()
    assert not any(value is not None for value in (body.get("data") or {}).values()), body
    [error] = body["errors"]
    assert error["message"].startswith(f"[{error['extensions']['code']}] "), error
    return dict(error)


def reason(error: Json) -> tuple[str, str | None]:
    """The code of an error and the field that it names."""
    return error["extensions"]["code"], error["extensions"].get("field")


def bearer(subject: object) -> dict[str, str]:
    """The header of an owner's valid token."""
    token = Tokens(JWT_SECRET.encode()).issue(str(subject), timedelta(minutes=5), utc_now())
    return {"Authorization": f"Bearer {token}"}
