"""`crm-graph endpoints` and `crm-graph deliveries`: what they print, what they change and what they refuse."""

import uuid
from typing import Any

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.slow

URL = "https://1.1.1.1/hook"


@pytest.fixture
def endpoint(crm: Commands, team: dict[str, str]) -> tuple[str, str]:
    """An endpoint of Max's: its id and its secret."""
    who = ("--owner", "MAX@seller.com", "--url", URL, "--event", "deal_created", "--header", "X-CRM-Secret: hidden:1")
    [line] = crm("endpoints", "add", *who, **team).lines()
    id_, url, secret = line.split("\t")
    assert url == URL
    return id_, secret


def test_an_endpoint_is_added_once_with_its_secret(
    crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]
) -> None:
    query = """SELECT e.id::text, secret, event_types, headers, o.name
               FROM webhook_endpoints e JOIN owners o ON o.id = owner_id"""
    assert rows(query) == [(*endpoint, ["deal_created"], {"x-crm-secret": "hidden:1"}, "Max")]

    again = crm("endpoints", "add", "--owner", "max@seller.com", "--url", URL, **team)
    assert again.remarks() == [
        "the endpoint exists already and is unchanged; for a new secret: crm-graph endpoints rotate"
    ]
    assert again.out == f"{endpoint[0]}\t{URL}\t\n"


def test_endpoints_are_listed_without_what_is_secret(
    crm: Commands, team: dict[str, str], endpoint: tuple[str, str]
) -> None:
    line = f"{endpoint[0]}\tmax@seller.com\t{URL}\tdeal_created\tx-crm-secret\tactive\t0\t0"
    assert crm("endpoints", "list", **team).lines() == [line]
    assert crm("endpoints", "list", "--owner", "max@seller.com", **team).lines() == [line]
    assert crm("endpoints", "list", "--owner", "ada@seller.com", **team).err == "none\n"


def test_what_is_not_given_stays(crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]) -> None:
    id_ = endpoint[0]
    off = crm("endpoints", "update", id_, "--inactive", "--header", "X-CRM-Secret:", "--header", "a: b", **team)
    assert off.lines() == [f"{id_}\tmax@seller.com\t{URL}\tdeal_created\ta\tdisabled: by its owner\t0\t0"]
    changed = ("--url", "https://1.1.1.1/other", "--all-events", "--no-headers", "--active")
    on = crm("endpoints", "update", id_, *changed, **team)
    assert on.lines() == [f"{id_}\tmax@seller.com\thttps://1.1.1.1/other\tall\t\tactive\t0\t0"]


def test_a_rotation_prints_the_new_secret_alone(
    crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]
) -> None:
    [secret] = crm("endpoints", "rotate", endpoint[0], **team).lines()
    assert rows("SELECT secret, previous_secret FROM webhook_endpoints") == [(secret, endpoint[1])]


def test_a_test_is_queued_listed_and_replayed(
    crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]
) -> None:
    [delivery] = crm("endpoints", "test", endpoint[0], **team).lines()
    [line] = crm("deliveries", "list", "--status", "pending", "--owner", "max@seller.com", **team).lines()
    id_, _, *others = line.split("\t")
    assert (id_, others) == (delivery, ["test", "pending", "0", URL, "max@seller.com"])

    rows("UPDATE webhook_deliveries SET status = 'failed', settled_at = now(), attempts = 9 RETURNING 1")
    assert crm("deliveries", "replay", delivery, **team).lines() == []
    assert rows("SELECT status, attempts FROM webhook_deliveries") == [("pending", 0)]


def test_events_are_replayed_from_a_time_on(
    crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]
) -> None:
    for type_ in ("deal_created", "deal_updated"):
        rows(
            "INSERT INTO events (type, occurred_at, owner_ids, source, payload) "
            f"SELECT '{type_}', now(), ARRAY[id], 'test', '{{\"data\": 1}}' FROM owners WHERE name = 'Max' RETURNING 1"
        )
    since = ("deliveries", "replay", "--endpoint", endpoint[0], "--since")
    assert crm(*since, "2026-01-05", **team).lines() == ["queued again: 1"]
    assert crm(*since, "2126-01-05", **team).lines() == ["queued again: 0"]
    assert rows("SELECT status FROM webhook_deliveries") == [("pending",)]


def test_deleted(crm: Commands, team: dict[str, str], rows: Any, endpoint: tuple[str, str]) -> None:
    assert crm("endpoints", "delete", endpoint[0], **team).lines() == []
    assert rows("SELECT id FROM webhook_endpoints") == []


def test_a_copy_is_let_send_under_its_own_url(crm: Commands, team: dict[str, str], rows: Any) -> None:
    rows("DELETE FROM deployment RETURNING 1")
    rows(
        "INSERT INTO deployment (public_url, paused_at, paused_reason) "
        "VALUES ('https://a.example', '2026-01-05T09:00Z', 'elsewhere') RETURNING 1"
    )
    environment = team | {"PUBLIC_URL": "https://b.example"}
    [line] = crm("deliveries", "resume", **environment).lines()
    assert line == (
        "deliveries are resumed; they were paused since 2026-01-05T09:00:00Z (elsewhere); "
        "this database is served under https://b.example"
    )
    assert rows("SELECT public_url, paused_at FROM deployment") == [("https://b.example", None)]
    [line] = crm("deliveries", "resume", **environment).lines()
    assert line == "deliveries were not paused; this database is served under https://b.example"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("endpoints", "add", "--owner", "max@seller.com", "--url", "https://10.0.0.1/"), "OUTBOUND_ALLOWED_NETWORKS"),
        (("endpoints", "add", "--owner", "no@seller.com", "--url", URL), "there is no owner no@seller.com"),
        (("endpoints", "add", "--owner", "max@seller.com", "--url", URL, "--header", "x"), "NAME: VALUE"),
        (("endpoints", "update", str(uuid.uuid4()), "--event", "test", "--all-events"), "give either"),
        (("endpoints", "rotate", str(uuid.uuid4())), "endpoint not found"),
        (("deliveries", "replay"), "give either one DELIVERY"),
        (("deliveries", "replay", str(uuid.uuid4()), "--since", "2026-01-01"), "give either one DELIVERY"),
        (("deliveries", "replay", str(uuid.uuid4()), "--endpoint", str(uuid.uuid4())), "give either one DELIVERY"),
        (("deliveries", "replay", "--endpoint", str(uuid.uuid4())), "give either one DELIVERY"),
        (("deliveries", "replay", "--since", "2026-01-01"), "give either one DELIVERY"),
        (
            ("endpoints", "add", "--owner", "ada@seller.com", "--url", "http://no.invalid/x"),
            "no.invalid can't be resol",
        ),
        (("deliveries", "replay", str(uuid.uuid4())), "delivery not found"),
    ],
)
def test_refusals_are_one_line(crm: Commands, team: dict[str, str], arguments: tuple[str, ...], message: str) -> None:
    assert message in crm(*arguments, **team).problem()
