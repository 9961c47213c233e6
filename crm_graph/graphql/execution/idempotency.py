"""Idempotency keys: a call that is repeated under its key has no second effect.

A call claims its key in its own transaction, so a call that fails leaves the key free. Only the ids and plain values of
a result are stored: each repeated call reads the rows again, with the rights that the caller has by then.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Delete, Text, and_, cast, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import Insert, insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, columns_of, param
from crm_graph.errors import Conflict, IdempotencyMismatch, ValidationFailed
from crm_graph.models import IdempotencyKey, table
from crm_graph.values import check_line

KEY_LIFETIME = timedelta(days=7)
KEY_MAX = 255
# Each new key deletes more than one expired key, so the table can't grow without end.
EXPIRED_DELETED_PER_CLAIM = 2
_NAME = ("owner_id", "operation", "key")

StoredResult: TypeAlias = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call to make repeatable: its caller, the mutation field, the key, and the hash of its input."""

    owner_id: uuid.UUID
    operation: str
    key: str
    request_hash: bytes
    now: datetime

    def __post_init__(self) -> None:
        check_line(self.key, field="idempotency_key", max_length=KEY_MAX)
        if not self.key.strip():
            raise ValidationFailed("idempotency_key is empty", field="idempotency_key")


class _EarlierCall(NamedTuple):
    request_hash: bytes
    result: StoredResult | None


def hash_of(input: object) -> bytes:
    """A hash of an input that does not depend on the order of its fields."""
    return hashlib.sha256(json.dumps(input, sort_keys=True, default=str).encode()).digest()


async def claim(transaction: Transaction, call: Call, result: StoredResult | None = None) -> StoredResult | None:
    """Claim the key until the transaction ends; returns the result of an earlier call under the same key.

    Where the `result` is known before the call, it is stored at once; any other needs `store_result`. Raises
    IdempotencyMismatch when the earlier call had another input, and Conflict while it is still running.
    """
    name = {"owner_id": call.owner_id, "operation": call.operation, "key": call.key}
    values = {"request_hash": call.request_hash, "now": call.now, "before": call.now - KEY_LIFETIME, "result": result}
    if await _CLAIM.run(transaction, **name, **values):
        return None
    earlier = await _EARLIER.one(transaction, **name)
    if earlier is None or earlier.result is None:
        message = "a call with this idempotency key is still running; retry in a moment"
        raise Conflict(message, field="idempotency_key")
    if earlier.request_hash != call.request_hash:
        raise IdempotencyMismatch(field="idempotency_key")
    return earlier.result


async def store_result(transaction: Transaction, call: Call, result: StoredResult) -> None:
    """Store the result of a claimed call."""
    await _STORE_RESULT.run(transaction, owner_id=call.owner_id, operation=call.operation, key=call.key, result=result)


def _claim() -> Insert:
    keys = table(IdempotencyKey)
    name = func.concat_ws("/", *(cast(param(IdempotencyKey, part), Text) for part in _NAME))
    now, before = (param(IdempotencyKey, "created_at", at) for at in ("now", "before"))
    columns = (*_NAME, "request_hash", "result")
    values = [param(IdempotencyKey, column) for column in columns]
    # The lock is tried, not waited for; and unlike a SELECT, the INSERT also sees what was committed a moment ago.
    free = select(*values, now).where(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))
    new = insert(keys).from_select([*columns, "created_at"], free, include_defaults=False)
    new = new.on_conflict_do_update(
        index_elements=[keys.c[part] for part in _NAME],
        set_={column: new.excluded[column] for column in ("request_hash", "result", "created_at")},
        where=keys.c.created_at < before,
    )
    return new.add_cte(_delete_expired(before).cte("expired"))


def _delete_expired(before: BindParameter[datetime]) -> Delete:
    keys = table(IdempotencyKey)
    names = [keys.c[part] for part in _NAME]
    expired = select(*names).where(keys.c.created_at < before, ~_is_this_key()).order_by(keys.c.created_at)
    batch = expired.limit(EXPIRED_DELETED_PER_CLAIM).with_for_update(skip_locked=True)
    return delete(keys).where(tuple_(*names).in_(batch))


def _is_this_key() -> ColumnElement[bool]:
    c = table(IdempotencyKey).c
    return and_(*(c[part] == param(IdempotencyKey, part) for part in _NAME))


_CLAIM = Statement(_claim)
_EARLIER = Query(_EarlierCall, lambda: select(*columns_of(_EarlierCall, table(IdempotencyKey))).where(_is_this_key()))
_STORE_RESULT = Statement(
    lambda: update(table(IdempotencyKey)).values(result=param(IdempotencyKey, "result")).where(_is_this_key())
)
