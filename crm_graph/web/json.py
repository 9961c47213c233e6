"""Strict JSON (RFC 8259) from a request body."""

import json
from typing import Any, NoReturn

from crm_graph.errors import (
    BadRequest,
)

DEPTH_MAX = 200  # far below what Python's stack allows, so that a body that was read once can be read again


def parse_json(body: bytes, *, unique_keys: bool = False) -> Any:
    """The JSON value in `body`; lone surrogates are kept, as RFC 8259 leaves them to us.

    Raises BadRequest for anything else, NaN and Infinity included (RFC 8259 has no such numbers), for more than
    DEPTH_MAX levels, and with `unique_keys` for a key that an object has twice.
    """
    hook = _refuse_duplicates if unique_keys else None
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_such_number, object_pairs_hook=hook)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the request body is not UTF-8: byte {error.start} is wrong") from None
    except json.JSONDecodeError as error:
        message = f"the request body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BadRequest(message) from None
    except (ValueError, RecursionError):
        raise BadRequest(
            "the request body is not JSON that is read here: nested too deeply, or a huge number"
        ) from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise BadRequest(f"the request body is nested more than {DEPTH_MAX} levels deep")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"the request body has the key {key[:100]!r} twice in one object")
        found[key] = value
    return found


def _no_such_number(constant: str) -> NoReturn:
    raise BadRequest(f"the request body is not JSON: it has no number {constant}")
