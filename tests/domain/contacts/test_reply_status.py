"""Reply status: people, models, providers and rules each give a verdict, and the strongest source prevails."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import instantly
from tests.support.api import Json, reason, refusal
from tests.support.database import unchanged
from tests.support.instantly import event
from tests.support.reply_status import ANA, ASKS, BOB, LIKES, READER, SET, add_team, judged, replied, replies, say


@pytest.fixture(autouse=True)
async def team(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """`client` first, so that its clean-up comes last."""
    await add_team(sql)


async def test_a_persons_correction_is_stored_beside_the_rules_verdict(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)

    result = await say(client, contact, "QUESTION", summary="Wants a price, no more")

    assert result["applied"]
    now = result["contact"]
    assert (now["replyStatus"], now["replyStatusSource"]) == ("QUESTION", "PERSON")
    assert (now["replySummary"], now["replyStatusAt"]) == ("Wants a price, no more", "2026-01-05T12:00:00+00:00")
    by_person, by_rules = now["verdicts"]
    assert (by_person["source"], by_person["status"], by_person["judgedBy"]) == ("PERSON", "QUESTION", {"email": ANA})
    assert (by_rules["source"], by_rules["status"], by_rules["judgedBy"]) == ("RULES", "INTERESTED", None)
    assert by_rules["confidence"] > 0.6
    assert by_person["activity"] == by_rules["activity"] == {"content": LIKES["reply_text"]}
    [entry] = await judged(sql)
    assert entry.content == "Reply judged by person: question"
    assert entry.created_by is not None
    assert entry.meta_json["changes"]["reply_status"] == {"old": "interested", "new": "question"}


async def test_the_same_verdict_again_changes_nothing(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    first = await say(client, contact, "QUESTION", confidence=0.8)

    async with unchanged(sql):
        again = await say(client, contact, "QUESTION", confidence=0.8)

    assert again == first


async def test_a_second_verdict_of_a_source_replaces_its_first(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    await say(client, contact, "QUESTION", source="MODEL", confidence=0.8)

    result = await say(client, contact, "NOT_INTERESTED", source="MODEL", confidence=0.9)

    assert result["contact"]["replyStatus"] == "NOT_INTERESTED"
    verdicts = [(one["source"], one["status"]) for one in result["contact"]["verdicts"]]
    assert verdicts == [("MODEL", "NOT_INTERESTED"), ("RULES", "INTERESTED")]


async def test_a_stronger_verdict_prevails_and_the_weaker_one_is_stored(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    before = await say(client, contact, "INTERESTED")

    result = await say(client, contact, "QUESTION", source="MODEL", summary="Asks", confidence=0.9)

    assert not result["applied"]
    contact_now = {key: value for key, value in result["contact"].items() if key != "verdicts"}
    assert contact_now == {key: value for key, value in before["contact"].items() if key != "verdicts"}
    assert [one["source"] for one in result["contact"]["verdicts"]] == ["MODEL", "PERSON", "RULES"]
    content = (await judged(sql))[-1].content
    assert content == "Reply judged by model: question; interested, as judged by person, stands"


async def test_a_model_overrides_the_rules_and_asks_for_review_when_unsure(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)

    doubtful = await say(client, contact, "QUESTION", source="MODEL", confidence=0.5)
    by_person = await say(client, contact, "QUESTION", confidence=0.1)

    assert (doubtful["applied"], doubtful["contact"]["needsReview"]) == (True, True)
    assert (by_person["applied"], by_person["contact"]["needsReview"]) == (True, False)


async def test_a_providers_label_overrides_a_model_but_not_a_person(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    await instantly.send(client, event("lead_interested", "2026-01-05T12:05:00Z"))

    by_model = await say(client, contact, "QUESTION", source="MODEL")
    by_person = await say(client, contact, "QUESTION", activityId=(await replies(sql))[0])

    assert not by_model["applied"]
    assert by_person["applied"]  # the label came later, but it is about the same reply


async def test_a_verdict_on_an_older_reply_is_stored_but_not_applied(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    await replied(client, sql, "2026-01-06T12:00:00Z", **ASKS)
    old, new = await replies(sql)
    latest = await say(client, contact, "NEUTRAL")

    older = await say(client, contact, "INTERESTED", activityId=old)

    assert latest["applied"]
    assert not older["applied"]
    assert older["contact"]["replyStatus"] == "NEUTRAL"
    persons = [one["activity"]["content"] for one in older["contact"]["verdicts"] if one["source"] == "PERSON"]
    assert persons == [LIKES["reply_text"], ASKS["reply_text"]]
    async with unchanged(sql):
        assert (await say(client, contact, "NEUTRAL", activityId=new))["applied"]


async def test_by_default_a_verdict_is_not_about_an_absence_notice(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    await instantly.send(client, event("auto_reply_received", reply_text="I am away until Monday."))

    result = await say(client, contact, "NEUTRAL")

    assert result["contact"]["verdicts"][0]["activity"] == {"content": LIKES["reply_text"]}


async def test_only_a_stronger_source_says_that_a_reply_was_an_absence(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)

    by_model = await say(client, contact, "OUT_OF_OFFICE", source="MODEL")
    assert (by_model["applied"], by_model["contact"]["replyStatus"]) == (True, "OUT_OF_OFFICE")
    await say(client, contact, "INTERESTED")
    by_model = await say(client, contact, "OUT_OF_OFFICE", source="MODEL", summary="Sure of it")
    assert (by_model["applied"], by_model["contact"]["replyStatus"]) == (False, "INTERESTED")
    by_person = await say(client, contact, "OUT_OF_OFFICE")
    assert (by_person["applied"], by_person["contact"]["replyStatus"]) == (True, "OUT_OF_OFFICE")


async def test_a_correction_without_a_summary_keeps_the_present_one(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    summary = await sql.scalar(text("SELECT reply_summary FROM contacts"))

    result = await say(client, contact, "QUESTION")

    assert summary
    assert result["contact"]["replySummary"] == summary


async def test_unsubscribed_closes_the_contact_even_if_a_stronger_verdict_prevails(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    await say(client, contact, "INTERESTED")

    result = await say(client, contact, "UNSUBSCRIBED", source="MODEL", summary="Wants out")

    assert not result["applied"]
    assert (result["contact"]["replyStatus"], result["contact"]["doNotContactReason"]) == ("INTERESTED", "Wants out")
    assert result["contact"]["version"] == 4


async def test_each_source_has_one_verdict_on_a_contact_without_replies(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await instantly.send(client, event("email_sent"))
    contact = await sql.scalar(text("SELECT id FROM contacts"))

    await say(client, contact, "INTERESTED", summary="On the phone")
    result = await say(client, contact, "NOT_INTERESTED")

    assert (result["contact"]["replyStatus"], result["applied"]) == ("NOT_INTERESTED", True)
    [verdict] = result["contact"]["verdicts"]
    assert (verdict["status"], verdict["activity"]) == ("NOT_INTERESTED", None)
    async with unchanged(sql):
        assert (await say(client, contact, "NOT_INTERESTED"))["applied"]


async def test_invalid_verdicts_are_refused(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    insert = "INSERT INTO activities (type, contact_id, content, occurred_at) VALUES ('note', :id, 'None', now())"
    note = await sql.scalar(text(f"{insert} RETURNING id"), {"id": contact})
    cases: list[tuple[str, Json, tuple[str, str | None]]] = [
        (ANA, {"confidence": 1.01}, ("VALIDATION", "confidence")),
        (ANA, {"confidence": -0.01}, ("VALIDATION", "confidence")),
        (ANA, {"summary": "x" * 501}, ("VALIDATION", "summary")),
        (ANA, {"summary": "a\0b"}, ("VALIDATION", "summary")),
        (ANA, {"activityId": str(note)}, ("NOT_FOUND", "activityId")),
        (ANA, {"activityId": str(contact)}, ("NOT_FOUND", "activityId")),
        (ANA, {"expectedVersion": 7}, ("VERSION_CONFLICT", "expectedVersion")),
        (BOB, {}, ("NOT_FOUND", "contactId")),
        (READER, {}, ("FORBIDDEN", None)),
    ]
    async with unchanged(sql):
        for who, given, expected in cases:
            asked = {"contactId": str(contact), "status": "QUESTION", **given}
            assert reason(await refusal(client, who, SET, **{"in": asked})) == expected


async def test_a_reply_of_another_contact_is_not_found(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    await instantly.send(client, event("reply_received", lead_email="other@example.com", **ASKS))
    others_reply = (await replies(sql))[1]

    async with unchanged(sql):
        given = {"contactId": str(contact), "status": "QUESTION", "activityId": others_reply}
        assert reason(await refusal(client, ANA, SET, **{"in": given})) == ("NOT_FOUND", "activityId")
