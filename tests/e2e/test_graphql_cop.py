"""The checks of graphql-cop, by name, against a production server. Its package on the index is a placeholder.

What it reports and we keep stands in NAMED, with the reason; anything else must not be found.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.commands import Commands, serving

NAMED = {
    "Alias Overloading": "101 aliases are below our limit of 200; what a document costs is limited apart from that",
    "Directive Overloading": "each unknown directive gets its error; a document may have 100 directives",
    "GET Method Query Support": "queries by GET are answered on purpose, never cached; a mutation by GET is refused",
}
TYPENAME = "query cop { __typename }"


class Attacker:
    """Requests as graphql-cop sends them, with an admin's token."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def post(self, query: str, **more: Any) -> Any:
        """The body of the answer to a document."""
        return self.send("POST", json={"query": query, **more}).json()

    def send(self, method: str, **options: Any) -> httpx.Response:
        """The answer to any request."""
        return self._http.request(method, "/graphql", **options)


@pytest.fixture(scope="module")
def attacker(crm: Commands, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    log = tmp_path_factory.mktemp("cop") / "log"
    with serving(crm, data_dir, log, CRM_ENV="production", EMBEDDED_DATABASE="true") as served:
        headers = {"Authorization": f"Bearer {served.token}"}
        with httpx.Client(base_url=served.base, headers=headers, timeout=30) as http:
            yield Attacker(http)


def has_data(body: Any) -> bool:
    """Whether the operation was executed."""
    return isinstance(body, list) or (isinstance(body, dict) and body.get("data") is not None)


def repeats(field: str, count: int) -> str:
    """A document with a field many times."""
    return "query cop { " + f"{field} " * count + "}"


FIELDS = "fields { type { fields { type { fields { type { name } } } } } }"
CIRCULAR = f"query cop {{ __schema {{ types {{ {FIELDS} }} }} }}"
CHECKS: dict[str, Callable[[Attacker], bool]] = {
    "Introspection": lambda a: has_data(a.post("query cop { __schema { types { name } } }")),
    "Field Suggestions": lambda a: "Did you mean" in str(a.post("query cop { deal_ { id } delas { totalCount } }")),
    "GraphQL IDE": lambda a: "<html" in a.send("GET", headers={"Accept": "text/html"}).text.lower(),
    "Alias Overloading": lambda a: has_data(
        a.post("query cop { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }")
    ),
    "Array-based Query Batching": lambda a: has_data(a.send("POST", json=[{"query": TYPENAME}] * 10).json()),
    "Directive Overloading": lambda a: len(a.post("query cop { __typename " + "@aa" * 10 + " }")["errors"]) == 10,
    "Circular Query via Introspection": lambda a: has_data(a.post(CIRCULAR)),
    "Field Duplication": lambda a: has_data(a.post(repeats("__typename", 500))),
    "Mutation is allowed over GET": lambda a: has_data(
        a.send("GET", params={"query": "mutation cop { __typename }"}).json()
    ),
    "GET Method Query Support": lambda a: has_data(a.send("GET", params={"query": TYPENAME}).json()),
    "POST based url-encoded query (possible CSRF)": lambda a: has_data(a.send("POST", data={"query": TYPENAME}).json()),
    "Trace Mode": lambda a: "tracing" in a.post(TYPENAME).get("extensions", {}),
    "Unhandled Errors Detection": lambda a: "Traceback" in a.send("POST", content=b"qwerty: abc").text,
}


@pytest.mark.parametrize("check", CHECKS)
def test_is_not_found(attacker: Attacker, check: str) -> None:
    assert CHECKS[check](attacker) is (check in NAMED)


def test_the_checks_can_find(attacker: Attacker) -> None:
    assert has_data(attacker.post(TYPENAME))
    assert has_data(attacker.post("query cop { me { id } }"))
    assert has_data(attacker.post(repeats("__typename", 2)))
