from time import perf_counter

import pytest

from crm_graph.domain.contacts.erasure_rules import MANY
from webhooks.mentions import CANDIDATES_MAX, MENTIONS_MAX, mentioned

MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to Bob@B.example, or <eve@b.example>.", {"Bob@b.example", "eve@b.example"}),
        ("mailto:bob@b.example?cc=eve@b.example&x=1", {"bob@b.example", "eve@b.example"}),
        ("*bob@b.example*", {"bob@b.example"}),
        ("." * 400 + "bob@b.example", {"bob@b.example"}),  # a line that separates
        ("bob@b.example@c.example.", {"bob@b.example", "b.example@c.example"}),
        ("bob @ b.example, @bob, bob@", set()),
    ],
)
def test_addresses_are_found_in_running_text(text: str, found: set[str]) -> None:
    address = {part.lower() for part in found}
    assert {part.lower() for part in mentioned({"text": f"Hello, {text} Bye"})} == address


def test_an_address_that_is_repeated_hides_no_other() -> None:
    assert mentioned(["us: " + "me@a.example " * (CANDIDATES_MAX // 2), "or bob@b.example"]) == {
        "me@a.example",
        "bob@b.example",
    }
    found = mentioned([f"see a{i}@b.example" for i in range(MENTIONS_MAX + 50)])
    assert len(found) == MENTIONS_MAX + 1
    assert MANY in found


@pytest.mark.parametrize(
    "texts",
    [
        ["a" * MEGABYTE + " @"],
        ["@" * MEGABYTE],
        ["a@" * (MEGABYTE // 2)],
        ["\u0301" * (MEGABYTE // 2) + " @ a@b.example"],
        ["a@ü.example " * 100] * 1_000,
    ],
    ids=["letters", "signs", "pairs", "marks", "many texts"],
)
def test_a_megabyte_takes_a_fraction_of_a_second(texts: list[str]) -> None:
    started = perf_counter()
    mentioned(texts)
    assert perf_counter() - started < 1
