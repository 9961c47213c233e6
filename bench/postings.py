"""Requests that are sent repeatedly, with the same bytes or a new body each time, and signed if necessary."""

import hmac
import itertools
import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FRESH = "@fresh@"  # in a body: replaced by FRESH_LENGTH characters that are unique to each request
FRESH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Posting:
    """A body for a path, with a bearer token or signed with a secret in crm-graph's own scheme."""

    body: str
    path: str = "/graphql"
    token: str | None = None
    secret: str | None = None

    def filled(self, fresh: str) -> bytes:
        """The body of one request, with a unique text."""
        return self.body.replace(FRESH, fresh).encode()

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers for that body, except its length."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.secret:
            headers["X-Signature"] = _signature(self.secret.encode(), body)
        return headers


class Feed:
    """The bytes of the postings, in turn and endlessly. All connections share one feed."""

    def __init__(self, postings: Sequence[Posting], port: int) -> None:
        self._requests = itertools.cycle([_Request(posting, port) for posting in postings])
        self._fresh = (b"%s%08d" % (secrets.token_hex(4).encode(), number) for number in itertools.count())

    def next_request(self) -> bytes:
        """The next request."""
        return next(self._requests).filled(next(self._fresh))


class _Request:
    """The constant parts of a request, joined beforehand, because the load generator shares the machine."""

    def __init__(self, posting: Posting, port: int) -> None:
        self._pieces = posting.body.encode().split(FRESH.encode())
        length = sum(map(len, self._pieces)) + FRESH_LENGTH * (len(self._pieces) - 1)
        headers = posting.headers(b"")
        headers.pop("X-Signature", None)
        lines = [
            f"POST {posting.path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._head = "\r\n".join(lines).encode()
        self._secret = posting.secret.encode() if posting.secret else None
        if self._secret is None:
            self._pieces[0] = self._head + b"\r\n\r\n" + self._pieces[0]

    def filled(self, fresh: bytes) -> bytes:
        body = fresh.join(self._pieces)
        if self._secret is None:
            return body
        return b"%s\r\nX-Signature: %s\r\n\r\n%s" % (self._head, _signature(self._secret, body).encode(), body)


def _signature(secret: bytes, body: bytes) -> str:
    return hmac.digest(secret, body, "sha256").hex()


@contextmanager
def request_file(postings: Sequence[Posting]) -> Iterator[Path]:
    """A file with postings for the load generator."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([asdict(posting) for posting in postings], file)
        file.flush()
        yield Path(file.name)


def read_postings(path: Path) -> list[Posting]:
    """Read a file of request_file."""
    return [Posting(**posting) for posting in json.loads(path.read_text())]
