"""Strict JSON (RFC 8259) from a request body."""

import json
from typing import Any, NoReturn

from crm_graph.errors import BadRequest

DEPTH_MAX = 200  # far below the limit of Python's stack, so that a stored body can always be parsed again


def parse_json(body: bytes, *, unique_keys: bool = True) -> Any:
    """The JSON value in `body`; lone surrogates are kept (RFC 8259, 8.2 leaves this open).

    Raises BadRequest for anything else, including NaN and Infinity (not in RFC 8259), for more than DEPTH_MAX levels
    and, with `unique_keys`, for a duplicate key in an object: readers disagree on which of the two counts.
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
        raise BadRequest("the request body can't be read: it is nested too deeply or has a huge number") from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(value)
    return value


def _check_depth(value: object) -> None:
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


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"the request body has the key {key[:100]!r} twice in one object")
        found[key] = value
    return found


def _no_such_number(constant: str) -> NoReturn:
    raise BadRequest(f"the request body is not JSON: {constant} is not a JSON number")
