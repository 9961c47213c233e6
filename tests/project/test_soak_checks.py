"""The checker of `make soak` can fail: it finds a lost, a doubled, a swapped, an invented and an unsigned one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm_graph.web.signatures import delivery_headers, new_webhook_secret
from tests.soak import checks
from tests.soak.checks import OutboxEvent
from tests.support.http_receiver import Received

ORDER = (("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a"), ("x", None))
EVENTS = [OutboxEvent(id_, position, key) for position, (id_, key) in enumerate(ORDER, start=1)]
SECRET = new_webhook_secret()
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def complaints(*receipts: str) -> list[str]:
    rules = (checks.lost, checks.invented, checks.out_of_order)
    return [complaint for rule in rules for complaint in rule(EVENTS, receipts)]


@pytest.mark.parametrize(
    "receipts",
    [
        ("a1", "b1", "a2", "a3", "x"),
        ("x", "a1", "a2", "a3", "b1"),  # of other deals, in whatever order
        ("a1", "b1", "a1", "a2", "a3", "a1", "x", "a2"),  # again, later: at least once
    ],
    ids=" ".join,
)
def test_at_least_once_and_in_order_of_each_deal_is_no_complaint(receipts: tuple[str, ...]) -> None:
    assert complaints(*receipts) == []


def test_a_lost_event_is_found() -> None:
    assert complaints("a1", "a2", "a3", "x") == ["event b1 (position 2) was never received"]


def test_swapped_events_of_one_deal_are_found_whatever_is_repeated() -> None:
    swapped = "of a, position 3 came before 1"
    assert complaints("b1", "a2", "a1", "a3", "x") == [swapped]
    assert complaints("a2", "a1", "b1", "a2", "a3", "x") == [swapped]
    assert complaints("a1", "a3", "a2", "b1", "x") == ["of a, position 4 came before 3"]


def test_an_event_of_nothing_is_found() -> None:
    assert complaints("a1", "b1", "a2", "a3", "x", "y") == ["event y was received and is not stored"]


def test_an_effect_that_is_missing_or_doubled_is_found() -> None:
    assert checks.not_once("deal", ["A", "B"], ["B", "A", "not acknowledged"]) == []
    assert checks.not_once("deal", ["A", "B", "C"], ["A", "B", "B"]) == [
        "deal B was acknowledged and has 2 effects",
        "deal C was acknowledged and has 0 effects",
    ]


@pytest.mark.parametrize("history", [["new"], ["new", "won", "won"], ["won", "new"], []], ids=str)
def test_a_move_that_is_lost_doubled_or_swapped_is_found(history: list[str]) -> None:
    moves = {"a": ["new", "won"], "b": ["new"]}
    stored = [("b", "new"), *(("a", stage) for stage in history)]
    assert checks.other_moves(moves, [("b", "new"), ("a", "new"), ("a", "won")]) == []
    assert checks.other_moves(moves, stored) == [f"deal a was moved to ['new', 'won'], its history says {history}"]


def test_what_is_not_signed_as_it_came_is_found() -> None:
    body = b'{"id":"a1"}'
    good = Received("POST", "/", delivery_headers([SECRET], "a1", body, NOW), body, NOW)

    assert checks.unsigned([good], SECRET) == []

    found = {
        "webhook-signature is wrong": [replace(good, body=b'{"id": "a1"}')],
        "X-Signature is wrong": [replace(good, headers=good.headers | {"x-signature": "sha256=0"})],
        "webhook-timestamp is not fresh": [replace(good, at=NOW + timedelta(hours=1))],
        "the body has another id": [replace(good, headers=delivery_headers([SECRET], "a2", body, NOW))],
    }
    for problem, requests in found.items():
        assert [complaint.partition(": ")[2] for complaint in checks.unsigned(requests, SECRET)] == [problem]
    assert checks.unsigned([good], new_webhook_secret())
