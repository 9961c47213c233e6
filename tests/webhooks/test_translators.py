"""With any payload, a translator raises nothing but ValidationFailed, and the server never answers 500."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_graph.errors import ValidationFailed
from tests.support.webhooks import FIXTURES, post
from webhooks.instantly.fields import DOCUMENTED, NAMED_VARIABLES
from webhooks.provider import ContactEvent, Context, Ignored
from webhooks.registry import PROVIDERS

CONTEXT = Context(datetime(2026, 2, 1, tzinfo=UTC), frozenset({"seller.com"}), frozenset({"intro-call"}))

texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=st.characters(codec=None), max_size=20),  # lone surrogates and NUL included
    st.sampled_from(
        ["a@b.com", "ANA@Seller.com", "a@gmail.com", "\x00x@y.de\ud800", "intro-call", "x" * 700 + "@b.com"]
    ),
    st.sampled_from(["2026-01-05T09:30:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05"]),
    st.uuids().map(str),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.integers(min_value=10**300, max_value=10**301), texts
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
people = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("email", "name", "noShow", "phoneNumber"), values)))
person = st.fixed_dictionaries({}, optional={"email": values, "full_name": values, "company": values})


def optional(keys: tuple[str, ...], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these keys and any values; `known` are the usual values of some keys."""
    return st.fixed_dictionaries({}, optional={key: known[key] | values if key in known else values for key in keys})


booking = optional(
    (
        "uid", "bookingUid", "bookingId", "id", "title", "eventTitle", "type", "startTime", "endTime", "start_time",
        "organizer", "attendees", "metadata", "location", "responses", "videoCallData", "formName", "message", "user",
        "userPrimaryEmail", "cancellationReason", "additionalNotes", "noShowHost", "requestReschedule",
    ),
    attendees=people,
    organizer=person,
    metadata=optional(("contact_id", "contactId", "pipeline", "videoCallUrl")),
    responses=st.dictionaries(texts, optional(("label", "value", "response")) | values, max_size=4),
)  # fmt: skip
payloads = {
    "instantly": st.one_of(
        optional(
            DOCUMENTED + NAMED_VARIABLES + ("jobTitle", "linkedIn", "x"),
            event_type=st.sampled_from([*PROVIDERS["instantly"].translators, "Call Back Later"]),
            lead_email=st.just("a@b.com"),
        ),
        optional(
            ("event", "lead", "message", "campaign_id", "idempotency_key", "email_account"),
            event=st.just("reply"),
            lead=person,
            message=optional(("subject", "text", "snippet", "received_at")),
        ),
    ),
    "calcom": st.one_of(
        optional(
            ("triggerEvent", "createdAt", "payload"),
            triggerEvent=st.sampled_from([*PROVIDERS["calcom"].translators]),
            payload=booking,
        ),
        st.builds(
            lambda trigger, flat: {**flat, "triggerEvent": trigger},
            st.sampled_from(["MEETING_STARTED", "MEETING_ENDED", "FORM_SUBMITTED", "BOOKING_NO_SHOW_UPDATED"]),
            booking,
        ),
        optional(("event", "booking", "idempotency_key"), event=st.just("booking.created"), booking=booking),
    ),
}


@pytest.mark.parametrize("name", PROVIDERS)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_translators_raise_nothing_but_validation_failed(name: str, data: st.DataObject) -> None:
    provider = PROVIDERS[name]
    payload = data.draw(payloads[name])
    event = provider.identify(payload, json.dumps(payload).encode())
    assert event.type
    assert len(event.dedupe_key) == 64
    try:
        translation = provider.translate(payload, event.type, CONTEXT)
    except ValidationFailed:
        return
    assert isinstance(translation, Ignored) or all(isinstance(one, ContactEvent) for one in translation)


@pytest.mark.parametrize("name", PROVIDERS)
async def test_the_server_answers_2xx_to_any_object(name: str, client: httpx.AsyncClient) -> None:
    """The same payloads through the database: what translators let pass can be stored."""
    drawn: list[dict[str, Any]] = []

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(payload=payloads[name])
    def collect(payload: dict[str, Any]) -> None:
        drawn.append(payload)

    collect()
    for start in range(0, len(drawn), 10):
        bodies = [json.dumps(payload).encode() for payload in drawn[start : start + 10]]
        answers = await asyncio.gather(*(post(client, name, body) for body in bodies))
        for body, answer in zip(bodies, answers, strict=True):
            # NaN and Infinity are no JSON, a key of 10 kB is no key, and one key may be drawn for two bodies.
            is_refused = answer.status_code in (400, 422)
            assert is_refused or answer.json()["status"] in ("ok", "ignored", "quarantined", "duplicate"), body


@pytest.mark.parametrize("name", PROVIDERS)
def test_translators_are_pure(name: str) -> None:
    """The same payload has the same translation, and stays unchanged."""
    provider = PROVIDERS[name]
    for path in (FIXTURES / name / "fixtures").glob("*.json"):
        body = path.read_bytes()
        if ".expected" in path.name:
            continue
        payload = json.loads(body)
        event = provider.identify(payload, body)
        first = provider.translate(payload, event.type, CONTEXT)
        assert payload == json.loads(body)
        assert provider.translate(json.loads(body), event.type, CONTEXT) == first
