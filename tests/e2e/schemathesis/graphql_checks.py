"""A check for `schemathesis run`, whose own one takes every refused input for an error of the server."""

import schemathesis

# Codes that blame the server, or nobody: an error of ours has another one.
FAULTS = {"INTERNAL", "UNAVAILABLE", None}


@schemathesis.check  # type: ignore[untyped-decorator] # the package is not there when types are checked
def errors_have_a_reason(ctx: object, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """The response is one of GraphQL, and each of its errors says what the client should do."""
    assert response.status_code in (200, 400), f"status {response.status_code}"
    body = response.json()
    assert body.keys() <= {"data", "errors"}, f"unexpected members: {sorted(body)}"
    codes = [error.get("extensions", {}).get("code") for error in body.get("errors", [])]
    assert not FAULTS.intersection(codes), f"error codes {codes}"
