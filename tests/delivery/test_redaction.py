"""Redaction follows the same rule in what is sent and in what the API shows."""

import itertools
import uuid
from typing import Any

import pytest
from sqlalchemy import JSON, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.delivery.redaction import redact, redact_in_sql
from crm_graph.models import Role

ME, COLLEAGUE = uuid.uuid4(), uuid.uuid4()
OWNERS = {"mine": ME, "colleague": COLLEAGUE, "pool": None}


def event(deal: str | None, contact: str | None, **more: Any) -> dict[str, Any]:
    """An event's payload whose deal and contact have these owners; None leaves the part out."""

    def part(holder: str | None) -> dict[str, Any] | None:
        return (holder and {"id": "1", "owner_id": OWNERS[holder] and str(OWNERS[holder])}) or None

    owner = OWNERS.get(deal or contact or "pool") or (OWNERS.get(contact or "pool"))
    data = {
        "deal": part(deal),
        "stage": deal and {"key": "new"},
        "pipeline": deal and {"name": "Sales"},
        "contact": part(contact),
        "company": {"name": "Acme"},
        "owner": owner and {"id": str(owner), "name": "N"},
    }
    return {"id": "e", "type": "t", "data": data | more}


def nulls(payload: dict[str, Any]) -> set[str]:
    """The names in `data` that are null."""
    return {name for name, value in payload["data"].items() if value is None}


@pytest.mark.parametrize(
    ("deal", "contact", "redacted"),
    [
        ("mine", "mine", set()),
        ("mine", "pool", set()),
        ("mine", "colleague", {"contact"}),
        ("colleague", "mine", {"deal", "stage", "pipeline", "owner", "changes"}),
        ("pool", "colleague", {"contact", "owner"}),
        (None, "mine", {"deal", "stage", "pipeline"}),
        (None, "colleague", {"deal", "stage", "pipeline", "contact", "owner", "changes"}),
    ],
)
def test_a_colleagues_parts_are_null(deal: str | None, contact: str | None, redacted: set[str]) -> None:
    payload = event(deal, contact, changes={"title": {"old": "a", "new": "b"}})

    assert nulls(redact(payload, ME, Role.SALES)) == redacted
    assert redact(payload, ME, Role.ADMIN) == payload


def test_both_stages_of_a_colleagues_move_are_null() -> None:
    payload = event("colleague", "mine", old_stage={"key": "new"}, new_stage={"key": "won"})

    assert {"old_stage", "new_stage"} < nulls(redact(payload, ME, Role.SALES))


def test_redaction_does_not_change_the_stored_payload() -> None:
    payload = event("colleague", "mine")
    redact(payload, ME, Role.SALES)

    assert payload == event("colleague", "mine")


@pytest.mark.parametrize("contact", [None, *OWNERS])
def test_a_member_of_the_deal_gets_the_whole_event(contact: str | None) -> None:
    payload = event("colleague", contact, changes={"title": {"old": "a", "new": "b"}})
    payload["data"]["deal"]["member_ids"] = [str(COLLEAGUE), str(ME)]
    assert redact(payload, ME, Role.SALES) == payload
    payload["data"]["deal"]["member_ids"] = [str(COLLEAGUE)]
    assert {"deal", "stage", "changes"} <= nulls(redact(payload, ME, Role.SALES))


@pytest.mark.parametrize("role", Role)
async def test_both_rules_agree(role: Role, sql: AsyncConnection) -> None:
    shown = redact_in_sql(bindparam("payload", type_=JSON), bindparam("me", ME, type_=Uuid), role)
    held = [None, *OWNERS]
    more: list[dict[str, Any]] = [{}, {"changes": {"a": {"old": 1.50, "new": "ö"}}}, {"old_stage": {}, "activity": [1]}]
    payloads = [event(*both, **each) for both, each in itertools.product(itertools.product(held, held), more)]
    for members in ([], [str(ME)], [str(COLLEAGUE), str(ME)], None):
        shared = event("colleague", "colleague")
        shared["data"]["deal"]["member_ids"] = members
        payloads.append(shared)
    payloads += [
        {"id": "e", "data": {}},
        {"id": "e"},
        {"erased": True, "data": None},
        {"data": {"endpoint": {"id": "1"}}},
    ]

    for payload in payloads:
        found = (await sql.execute(select(shown), {"payload": payload})).scalar_one()
        assert found == redact(payload, ME, role)
