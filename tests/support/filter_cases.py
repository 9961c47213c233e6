"""What each filter of a list finds for Ada among the rows of filter_rows.py."""

import uuid
from datetime import timedelta
from typing import Any

from tests.support.factories import ADA, BOB, START
from tests.support.filter_rows import TICK, Scene

Cases = list[tuple[str, Any, set[str]]]
ALL = {
    "deals": {"plain", "low Straße", "edge", "high", "lost 100% sure"},
    "contacts": {"ada@a.example", "pool@b.example", "bare@c.example"},
    "companies": {"Acme", "Globex Ödemeler", "theirs"},
    "activities": {"noted", "called", "on high", "at Acme", "to do", "some day", "done"},
}
VALUED = ALL["deals"] - {"plain"}
AFTER = START.isoformat()


def cases_of(scene: Scene) -> dict[str, Cases]:
    """For each list: a field of its filter, a value, and which rows Ada finds."""
    return {
        "deals": deals(scene),
        "contacts": contacts(scene),
        "companies": companies(),
        "activities": activities(scene),
    }


def deals(scene: Scene) -> Cases:
    stage, owner, people, firms = scene.stage, scene.owner, scene.contact, scene.company
    return [
        ("stageId", stage["new"], {"plain", "low Straße"}), ("stageId", stage["contacted"], set()),
        ("pipelineId", stage["pipeline"], ALL["deals"]), ("pipelineId", uuid.uuid4(), set()),
        ("status", "OPEN", {"plain", "low Straße", "edge"}), ("status", "WON", {"high"}),
        ("status", "LOST", {"lost 100% sure"}),
        ("ownerId", owner[ADA], {"plain", "low Straße", "edge"}), ("ownerId", owner[BOB], set()),
        ("unassigned", True, {"high", "lost 100% sure"}), ("unassigned", False, {"plain", "low Straße", "edge"}),
        ("contactId", people["ada"], {"low Straße"}), ("contactId", people["pool"], {"edge", "high"}),
        ("contactId", people["theirs"], set()),
        ("companyId", firms["Acme"], {"low Straße", "edge"}), ("companyId", firms["theirs"], set()),
        ("campaignId", "c-1", {"low Straße"}), ("campaignId", "C-1", {"edge"}), ("campaignId", "c_1", set()),
        ("campaignId", "c%", set()), ("campaignId", "", set()),
        ("minAmount", "100", {"edge", "high"}), ("minAmount", "100.005", {"high"}), ("minAmount", 0, VALUED),
        ("minAmount", "-1", VALUED), ("minAmount", "999999999999999.999999", set()),
        ("maxAmount", "100.00", {"low Straße", "edge", "lost 100% sure"}), ("maxAmount", "-0.01", set()),
        ("maxAmount", 99.99, {"low Straße", "lost 100% sure"}), ("maxAmount", 0, {"lost 100% sure"}),
        ("closeDateFrom", "2026-02-01", {"edge", "high", "lost 100% sure"}),
        ("closeDateFrom", "9999-12-31", {"lost 100% sure"}), ("closeDateFrom", "0001-01-01", VALUED),
        ("closeDateTo", "2026-02-01", {"low Straße", "edge"}), ("closeDateTo", "2026-01-30", set()),
        ("createdAfter", AFTER, {"low Straße", "edge", "high", "lost 100% sure"}),
        ("createdAfter", (START + TICK).isoformat(), {"edge", "high", "lost 100% sure"}),
        ("createdAfter", "0001-01-01T00:00:00Z", ALL["deals"]),
        ("updatedAfter", AFTER, {"edge", "high"}), ("updatedAfter", "2026-01-05T11:00:00+02:00", {"edge", "high"}),
        ("staleForDays", 30, {"edge", "high"}), ("staleForDays", 31, {"high"}), ("staleForDays", 36_500, {"high"}),
        ("staleForDays", 0, ALL["deals"]),
        ("text", "strasse LOW", {"low Straße"}), ("text", "lo", {"low Straße", "lost 100% sure"}),
        ("text", "low%", {"low Straße"}), ("text", "l%w", set()), ("text", "lo_", {"low Straße", "lost 100% sure"}),
        ("text", "l_w", set()), ("text", "100%", {"lost 100% sure"}), ("text", "theirs", set()),
    ]  # fmt: skip


def contacts(scene: Scene) -> Cases:
    owner, firms = scene.owner, scene.company
    return [
        ("replyStatus", "INTERESTED", {"ada@a.example"}), ("replyStatus", "NEUTRAL", set()),
        ("needsReview", True, {"pool@b.example"}), ("needsReview", False, {"ada@a.example", "bare@c.example"}),
        ("lifecycleStage", "LEAD", {"bare@c.example"}), ("lifecycleStage", "CUSTOMER", {"ada@a.example"}),
        ("companyId", firms["Acme"], {"ada@a.example"}), ("companyId", firms["theirs"], set()),
        ("ownerId", owner[ADA], {"ada@a.example", "bare@c.example"}), ("ownerId", owner[BOB], set()),
        ("unassigned", True, {"pool@b.example"}), ("unassigned", False, {"ada@a.example", "bare@c.example"}),
        ("createdAfter", AFTER, {"pool@b.example", "bare@c.example"}),
        ("createdAfter", (START + TICK).isoformat(), {"bare@c.example"}),
        ("updatedAfter", AFTER, {"bare@c.example"}), ("text", "532", {"bare@c.example"}),
        ("text", "cagri", {"ada@a.example"}), ("text", "MÜDÜR", {"pool@b.example"}),
        ("text", "bare@c", {"bare@c.example"}), ("text", "theirs", set()), ("text", "b%re", set()),
    ]  # fmt: skip


def companies() -> Cases:
    return [
        ("domain", "acme.example", {"Acme"}), ("domain", " ACME.Example. ", {"Acme"}), ("domain", "acme", set()),
        ("domain", "köln.example", {"Globex Ödemeler"}),
        ("createdAfter", AFTER, {"Globex Ödemeler", "theirs"}),
        ("createdAfter", (START + TICK).isoformat(), {"theirs"}), ("updatedAfter", AFTER, {"theirs"}),
        ("text", "odeme", {"Globex Ödemeler"}), ("text", "ISTANBUL fin", {"Acme"}), ("text", "acm_x", set()),
    ]  # fmt: skip


def activities(scene: Scene) -> Cases:
    owner, people, firms = scene.owner, scene.contact, scene.company
    return [
        ("type", "CALL", {"called"}), ("type", "NO_SHOW", set()), ("type", "NOTE", {"noted", "on high", "at Acme"}),
        ("contactId", people["ada"], {"noted"}), ("contactId", people["theirs"], set()),
        ("dealId", scene.id("edge"), {"called", "to do", "done"}), ("dealId", scene.id("theirs"), set()),
        ("companyId", firms["Acme"], {"at Acme"}), ("companyId", firms["theirs"], set()),
        ("open", True, {"to do", "some day"}), ("open", False, {"done"}),
        ("assigneeId", owner[ADA], {"to do", "done"}), ("assigneeId", owner[BOB], {"some day"}),
        ("assignedToMe", True, {"to do", "done"}), ("assignedToMe", False, ALL["activities"] - {"to do", "done"}),
        ("dueBefore", (START + timedelta(1)).isoformat(), {"done"}),
        ("dueBefore", (START + timedelta(1) + TICK).isoformat(), {"to do", "done"}),
        ("createdBy", owner[ADA], {"noted"}), ("createdBy", owner[BOB], {"called"}),
        ("occurredAfter", AFTER, {"called", "on high"}), ("occurredAfter", (START + TICK).isoformat(), {"on high"}),
    ]  # fmt: skip
