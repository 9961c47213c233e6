"""Idempotency keys: a call that is repeated under the key of its first time has no second effect.

The key is taken in the transaction of the call itself, so that a call that failed leaves its key free. What is kept of
a result is what finds it again: it is read anew for each repetition, under the rights that the caller has then.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, and_, cast, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param
from crm_graph.errors import Conflict, IdempotencyMismatch, ValidationFailed
from crm_graph.models import IdempotencyKey, table
from crm_graph.values import check_text

KEPT_FOR = timedelta(days=7)
KEY_MAX = 255
FORGOTTEN_AT_ONCE = 2  # for each key that is taken, more than one old one may go: the table can't grow for ever

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is made once: whose, of what, under which key, and the hash of what it asks for."""

    owner_id: uuid.UUID
    operation: str
    key: str
    request_hash: bytes
    now: datetime

    def __post_init__(self) -> None:
        check_text(self.key, field="idempotency_key", max_length=KEY_MAX)
        if not self.key.strip():
            raise ValidationFailed("idempotency_key is empty", field="idempotency_key")


def hash_of(asked: Any) -> bytes:
    """A hash of an input, in which the order of its fields plays no part."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).digest()


async def claim(transaction: Transaction, call: Call, foreseen: Result | None = None) -> Result | None:
    """Take the key until the transaction ends; the result of the first call when it was made already.

    `foreseen` is the result where it is known before the call; any other must be kept. Raises IdempotencyMismatch for
    another input, and Conflict while the first call is under way.
    """
    name = {"owner_id": call.owner_id, "operation": call.operation, "key": call.key}
    values = {"request_hash": call.request_hash, "now": call.now, "before": call.now - KEPT_FOR, "result": foreseen}
    if await _CLAIM.one(transaction, **name, **values):
        return None
    known = await _KNOWN.one(transaction, **name)
    if known is None or known.result is None:
        raise Conflict("a call with this idempotency key is under way; retry in a moment", field="idempotency_key")
    if known.request_hash != call.request_hash:
        raise IdempotencyMismatch(field="idempotency_key")
    found: Result = known.result
    return found


async def keep(transaction: Transaction, call: Call, result: Result) -> None:
    """Keep what finds the result of a claimed call again."""
    await _KEEP.run(transaction, owner_id=call.owner_id, operation=call.operation, key=call.key, result=result)


def _claim() -> Any:
    keys, names = table(IdempotencyKey), ("owner_id", "operation", "key")
    name = func.concat_ws("/", *(cast(param(IdempotencyKey, part), Text) for part in names))
    now, before = (param(IdempotencyKey, "created_at", at) for at in ("now", "before"))
    columns = (*names, "request_hash", "result")
    asked = [param(IdempotencyKey, part) for part in columns]
    # The lock is tried, not waited for; and the insert, unlike a look, also sees what was committed a moment ago.
    free = select(*asked, now).where(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))
    new = insert(keys).from_select([*columns, "created_at"], free, include_defaults=False)
    new = new.on_conflict_do_update(
        index_elements=[keys.c[part] for part in names],
        set_={part: new.excluded[part] for part in ("request_hash", "result", "created_at")},
        where=keys.c.created_at < before,
    )
    return new.returning(keys.c.key).add_cte(_forget(before).cte("forgotten"))


def _forget(before: Any) -> Any:
    keys = table(IdempotencyKey)
    old = select(keys.c.owner_id, keys.c.operation, keys.c.key).where(keys.c.created_at < before, ~_is_given())
    old = old.order_by(keys.c.created_at).limit(FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)
    return delete(keys).where(tuple_(keys.c.owner_id, keys.c.operation, keys.c.key).in_(old))


def _is_given() -> Any:
    c = table(IdempotencyKey).c
    return and_(*(c[name] == param(IdempotencyKey, name) for name in ("owner_id", "operation", "key")))


_CLAIM = Statement(_claim)
_KNOWN = Statement(
    lambda: select(table(IdempotencyKey).c.request_hash, table(IdempotencyKey).c.result).where(_is_given())
)
_KEEP = Statement(
    lambda: update(table(IdempotencyKey)).values(result=param(IdempotencyKey, "result")).where(_is_given())
)
