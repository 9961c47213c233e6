"""The set-checker: what was acknowledged against what is stored, and what happened against what was received.

Each function returns its complaints, one a line; none means that the rule held.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.support.http_receiver import Received
from tests.support.webhooks import signature

FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class OutboxEvent:
    """An event of the outbox; events of one order_key (its deal, else its contact) must arrive by position."""

    id: str
    position: int
    order_key: str | None


def lost(events: Iterable[OutboxEvent], receipts: Sequence[str]) -> list[str]:
    """Events that the receiver never took. `receipts` are the ids that it answered with 200, in their order."""
    known = set(receipts)
    return [
        f"event {event.id} (position {event.position}) was never received" for event in events if event.id not in known
    ]


def invented(events: Iterable[OutboxEvent], receipts: Iterable[str]) -> list[str]:
    """Receipts of what never happened: of a transaction that was rolled back."""
    known = {event.id for event in events}
    return [f"event {id_} was received and is not stored" for id_ in dict.fromkeys(receipts) if id_ not in known]


def out_of_order(events: Iterable[OutboxEvent], receipts: Sequence[str]) -> list[str]:
    """Events of one deal whose first receipts came in another order than they happened; repetitions don't count."""
    first = {id_: number for number, id_ in reversed(list(enumerate(receipts)))}
    arrived = sorted((event for event in events if event.id in first), key=lambda event: first[event.id])
    complaints, latest = [], dict[str, OutboxEvent]()
    for event in arrived:
        if event.order_key is None:
            continue
        before = latest.setdefault(event.order_key, event)
        if before.position > event.position:
            complaints.append(f"of {event.order_key}, position {before.position} came before {event.position}")
        else:
            latest[event.order_key] = event
    return complaints


def not_once(what: str, acknowledged: Iterable[str], stored: Iterable[str]) -> list[str]:
    """What was acknowledged and has no effect, or more than one."""
    times = Counter(stored)
    wrong = ((one, times[one]) for one in acknowledged if times[one] != 1)
    return [f"{what} {one} was acknowledged and has {count} effects" for one, count in wrong]


def other_moves(acknowledged: Mapping[str, Sequence[str]], stored: Iterable[tuple[str, str]]) -> list[str]:
    """Deals whose history, as (deal, stage) in its order, isn't the stages that they were moved to, one by one."""
    histories = defaultdict[str, list[str]](list)
    for deal, stage in stored:
        histories[deal].append(stage)
    wrong = ((deal, list(moves), histories[deal]) for deal, moves in acknowledged.items())
    return [
        f"deal {deal} was moved to {moves}, its history says {found}" for deal, moves, found in wrong if moves != found
    ]


def unsigned(requests: Iterable[Received], secret: str) -> list[str]:
    """Requests that a receiver would have to refuse: not signed over their bytes, not fresh, not what they say."""
    return [
        f"{request.headers.get('webhook-id')}: {problem}"
        for request in requests
        if (problem := _problem(request, secret))
    ]


def _problem(request: Received, secret: str) -> str | None:
    id_, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + request.body, hashlib.sha256).digest()
    if request.headers["webhook-signature"] != f"v1,{base64.b64encode(digest).decode()}":
        return "webhook-signature is wrong"
    if request.headers["x-signature"] != f"sha256={signature(secret, request.body)}":
        return "X-Signature is wrong"
    if abs(request.at.timestamp() - int(timestamp)) > FRESH.total_seconds():
        return "webhook-timestamp is not fresh"
    return None if json.loads(request.body)["id"] == id_ else "the body has another id"
