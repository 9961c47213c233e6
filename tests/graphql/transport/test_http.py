"""GraphQL over HTTP: whatever is sent, the answer is one JSON object, and every failure has an `errors` list."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import ask, bearer, refusal, send
from tests.support.database import everything, unchanged
from tests.support.factories import add_owner

ADA = "ada@seller.com"
JSON = {"Content-Type": "application/json"}
ME = "{ me { email } }"
CREATE = 'createDeal(input: {title: "x"}) { deal { id } }'
GRAPHQL_MEDIA = "application/graphql-response+json"


@pytest.fixture(autouse=True)
async def ada(client: httpx.AsyncClient, sql: AsyncConnection) -> Any:
    """The caller; `client` first, so that its clean-up comes last."""
    return await add_owner(sql, ADA)


def assert_errors(answer: httpx.Response, status: int, code: str) -> str:
    """The answer has that status and errors whose code leads the message; returns the first message."""
    body = answer.json()
    assert answer.status_code == status, body
    assert set(body) <= {"errors", "data"}
    assert body["errors"]
    for error in body["errors"]:
        assert error["extensions"]["code"] == code, error
        assert error["message"].startswith(f"[{code}] ")
    return str(body["errors"][0]["message"])


async def post(client: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    sent = bearer(ADA) | JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/graphql", content=content, headers=sent)


NO_REQUESTS = {
    "empty": b"",
    "space": b"  \n",
    "null": b"null",
    "number": b"5",
    "text": b'"abc"',
    "true": b"true",
    "list": b"[]",
    "batch": b'[{"query": "{ me { id } }"}]',
    "no query": b"{}",
    "query null": b'{"query": null}',
    "query number": b'{"query": 5}',
    "query list": b'{"query": ["{ me { id } }"]}',
    "query empty": b'{"query": ""}',
    "query blank": b'{"query": " \\n"}',
    "variables list": b'{"query": "{ me { id } }", "variables": []}',
    "variables text": b'{"query": "{ me { id } }", "variables": "{}"}',
    "operationName number": b'{"query": "{ me { id } }", "operationName": 1}',
    "extensions text": b'{"query": "{ me { id } }", "extensions": "x"}',
    "invalid UTF-8": b'{"query": "\xff"}',
    "latin-1": '{"query": "ü"}'.encode("latin-1"),
    "UTF-16": '{"query": "{ me { id } }"}'.encode("utf-16"),
    "cut": b'{"query": "{ me { id } }"',
    "two objects": b'{"query": "{ me { id } }"}{}',
    "NaN": b'{"query": "{ me { id } }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ me { id } }", "variables": {"a": -Infinity}}',
    "5,000 digits": b'{"query": "{ me { id } }", "variables": {"a": ' + b"1" * 5_000 + b"}}",
    "100,000 levels": b'{"query": "{ me { id } }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "raw NUL": b'{"query": "{ me { id } }\x00"}',
    "form": b"query=%7Bme%7Bid%7D%7D",
}


async def test_a_malformed_request_is_400(client: httpx.AsyncClient) -> None:
    for name, body in NO_REQUESTS.items():
        message = assert_errors(await post(client, body), 400, "BAD_REQUEST")
        assert len(message) < 300, name


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ nothing }", "query": "{ me { email } }"}',
        b'{"query": "{ me { email } }", "\\u0071uery": "{ me { email } }"}',
        b'{"query": "{ me { email } }", "variables": {"a": [{"x": 1, "x": 1}]}}',
    ],
    ids=["query", "in another spelling", "in a variable"],
)
async def test_a_key_that_stands_twice_is_refused(body: bytes, client: httpx.AsyncClient) -> None:
    message = assert_errors(await post(client, body), 400, "BAD_REQUEST")

    assert message.endswith("twice in one object")


@pytest.mark.parametrize("bom", [b"\xef\xbb\xbf", b""])
async def test_success_has_no_errors_key(bom: bytes, client: httpx.AsyncClient) -> None:
    answer = await post(client, bom + json.dumps({"query": ME}).encode())

    assert (answer.status_code, answer.json()) == (200, {"data": {"me": {"email": ADA}}})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]


WRONG_DOCUMENTS = [
    "{", "{ " + "x" * 9_000 + " }", "{ me { email }", "{ nothing }", "{ me }", "{ me { email { x } } }",
    "query ($a: Nope) { me { id } }", "{ deal { id } }", '{ deal(id: "x", no: 1) { id } }', "{ ...F }",
    "subscription { me { id } }", "\ud800", '{ deal(id: "\ud800") { id } }', "{ me { \ud800 } }",
    "{ me(\u0000) { id } }",
    "{ m\u202ee { id } }", "{ deals(first: " + "9" * 5_000 + ") { totalCount } }", "{ me @nope { id } }",
    "query ($id: UUID!) { deal(id: $id) { id } }", "fragment F on Owner { id }",
    "query A { me { id } } query B { me { id } }",
    'query ($e: String = "\\ud800") { contactByEmail(email: $e) { id } }',
]  # fmt: skip


async def test_an_invalid_document_returns_errors(client: httpx.AsyncClient) -> None:
    for document in WRONG_DOCUMENTS:
        plain = await post(client, json.dumps({"query": document}))
        strict = await post(client, json.dumps({"query": document}), Accept=GRAPHQL_MEDIA)

        for answer in (plain, strict):
            for error in answer.json()["errors"]:
                assert error["extensions"]["code"] in ("BAD_REQUEST", "VALIDATION"), ascii(document)
                assert error["message"].startswith(f"[{error['extensions']['code']}] ")
                assert len(error["message"]) <= 500
        assert strict.status_code == 400, ascii(document)
        assert plain.status_code in (200, 400)
        assert strict.headers["content-type"] == GRAPHQL_MEDIA


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
 "application/graphql",
              "application/json5", "text/json", ""]
)  # fmt: skip
async def test_only_json_is_read(media: str, client: httpx.AsyncClient) -> None:
    answer = await post(client, json.dumps({"query": f"mutation {{ {CREATE} }}"}), Content_Type=media)

    assert_errors(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_charset_beside_the_media_type_is_read(client: httpx.AsyncClient) -> None:
    for media in ("application/json; charset=utf-8", "Application/JSON"):
        assert (await post(client, json.dumps({"query": ME}), Content_Type=media)).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x"])
async def test_a_compressed_body_is_not_unpacked(coding: str, client: httpx.AsyncClient) -> None:
    assert_errors(await post(client, b"\x1f\x8b", Content_Encoding=coding), 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_over_the_limit_is_413_while_it_is_read(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 50:
            read += 1
            yield b" " * 100_000

    chunked = await post(client, endless())
    at_once = await post(client, b" " * 1_000_001)
    lying = await post(client, b"{}", Content_Length="999999999999999999999999")

    for answer in (chunked, at_once, lying):
        assert_errors(answer, 413, "PAYLOAD_TOO_LARGE")
    assert read <= 12


async def test_an_invalid_content_length_is_ignored(client: httpx.AsyncClient) -> None:
    sent = bearer(ADA) | JSON | {b"Content-Length": b"\xb2"}

    answer = await client.post("/graphql", content=json.dumps({"query": ME}), headers=sent)  # type: ignore[arg-type]

    assert answer.json() == {"data": {"me": {"email": ADA}}}


async def test_a_body_at_the_limit_is_read(client: httpx.AsyncClient) -> None:
    body = json.dumps({"query": ME}).encode()

    assert (await post(client, body + b" " * (1_000_000 - len(body)))).status_code == 200


async def test_without_a_token_nothing_is_read(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for body in (b" " * 2_000_000, b"null", json.dumps({"query": f"mutation {{ {CREATE} }}"}).encode()):
            answer = await client.post("/graphql", content=body, headers=JSON)
            assert_errors(answer, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_only_get_and_post_run_a_query(method: str, client: httpx.AsyncClient) -> None:
    headers = bearer(ADA) | {"Accept": "text/html, */*"}

    answer = await client.request(method, "/graphql", params={"query": ME}, headers=headers)

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert "data" not in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    ("accept", "media"),
    [("*/*", "application/json"), ("application/json", "application/json"), ("text/html", "application/json"),
     (GRAPHQL_MEDIA, GRAPHQL_MEDIA), (f"{GRAPHQL_MEDIA};charset=utf-8, application/json;q=0.9", GRAPHQL_MEDIA)],
)  # fmt: skip
async def test_the_answer_has_the_requested_media_type(accept: str, media: str, client: httpx.AsyncClient) -> None:
    good = await post(client, json.dumps({"query": ME}), Accept=accept)
    bad = await post(client, b"null", Accept=accept)
    partial = await post(client, json.dumps({"query": "{ me { email } webhooksLog { totalCount } }"}), Accept=accept)

    assert {answer.headers["content-type"] for answer in (good, bad, partial)} == {media}
    assert (good.status_code, bad.status_code) == (200, 400)
    assert partial.json()["errors"]


async def test_more_than_ten_mutations_are_refused(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    ten, eleven = (" ".join(f"m{i}: {CREATE}" for i in range(count)) for count in (10, 11))
    fragments = " ".join(f"fragment F{i} on Mutation {{ a{i}: {CREATE} b{i}: {CREATE} }}" for i in range(6))
    documents = [
        f"mutation {{ {eleven} }}",
        f"mutation {{ ...F }} fragment F on Mutation {{ {eleven} }}",
        f"mutation {{ ... {{ {eleven} }} }}",
        f"mutation {{ ... on Mutation @include(if: true) {{ {eleven} }} }}",
        f"mutation {{ {' '.join(f'...F{i}' for i in range(6))} }} {fragments}",
    ]

    async with unchanged(sql):
        for document in documents:
            error = await refusal(client, ADA, document)
            assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX", document[:60]

    await ask(client, ADA, f"mutation {{ {ten} }}")
    assert len((await everything(sql))["deals"]) == 10


async def test_a_failed_mutation_undoes_only_itself(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    document = f'mutation {{ one: {CREATE} two: createDeal(input: {{title: ""}}) {{ deal {{ id }} }} three: {CREATE} }}'

    answer = await send(client, ADA, document)

    # createDeal is not nullable: `data` is null and later mutations don't run, but earlier ones stay.
    assert answer.status_code == 200
    assert len(answer.json()["errors"]) == 1
    assert answer.json()["errors"][0]["path"] == ["two"]
    assert len((await everything(sql))["deals"]) == 1


async def test_an_operation_that_the_document_lacks_is_named_in_the_error(client: httpx.AsyncClient) -> None:
    body = {"query": "query A { me { id } }", "operationName": "B"}
    plain = await post(client, json.dumps(body))
    strict = await post(client, json.dumps(body), Accept=GRAPHQL_MEDIA)

    assert (plain.status_code, strict.status_code) == (200, 400)
    assert plain.json() == strict.json()
    assert "data" not in plain.json()
    assert plain.json()["errors"][0]["message"].startswith(
        "[BAD_REQUEST] operationName must be the name of one operation"
    )


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"), ("*/*", "application/json"), ("text/html", "application/json"),
        (GRAPHQL_MEDIA, GRAPHQL_MEDIA), (f"application/json, {GRAPHQL_MEDIA}", GRAPHQL_MEDIA),
        (f"application/json, {GRAPHQL_MEDIA};q=0.5", "application/json"),
        (f"{GRAPHQL_MEDIA};q=0, application/json", "application/json"),
        (f"{GRAPHQL_MEDIA};charset=utf-8;q=0.9, application/json;q=0.8", GRAPHQL_MEDIA),
        (f"{GRAPHQL_MEDIA};q=x", "application/json"),
    ],
)  # fmt: skip
async def test_the_media_type_is_the_preferred_one(accept: str, media: str, client: httpx.AsyncClient) -> None:
    answer = await post(client, json.dumps({"query": ME}), Accept=accept)

    assert answer.headers["content-type"] == media


async def test_a_request_in_another_charset_is_415(client: httpx.AsyncClient) -> None:
    body = json.dumps({"query": ME})

    assert_errors(
        await post(client, body, **{"Content-Type": "application/json; charset=iso-8859-1"}), 415,
        "UNSUPPORTED_MEDIA_TYPE",
    )  # fmt: skip
    assert (await post(client, body, **{"Content-Type": 'application/json; charset="UTF-8"'})).status_code == 200
