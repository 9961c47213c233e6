"""Our own payload shape, which n8n relays and first-party callers send. Its event type is under `event`."""

from crm_graph.values import clean_line
from webhooks import dedupe
from webhooks.extract import NO_EVENT_TYPE
from webhooks.provider import EventIdentity, Payload


def is_normalised(payload: Payload, type_key: str) -> bool:
    """Whether a payload has our shape. `type_key` is where the provider's own shape has its event type."""
    return payload.get(type_key) is None and isinstance(payload.get("event"), str)


def event_type(payload: Payload) -> str:
    """The event type of a payload of our shape, as one clean line; may be empty."""
    return clean_line(payload["event"], 200) or ""


def identify(payload: Payload, body: bytes) -> EventIdentity:
    """Identify an event of our shape by its exact body, and by the caller's `idempotency_key` if there is one."""
    key = clean_line(payload.get("idempotency_key"), 1_000)
    return EventIdentity(event_type(payload) or NO_EVENT_TYPE, dedupe.body_key(body), key)
