"""An ASGI application that only returns 120 kB, to measure the limit of the load generator itself."""

from starlette.types import Receive, Scope, Send

BODY = b'{"data":"' + b"x" * 120_000 + b'"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request and respond."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
