"""JSON values that are stored: what is refused, what is cleaned, and how large they may be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.errors import ValidationFailed
from crm_graph.json_documents import (
    DOCUMENT_MAX,
    check_document,
    check_document_size,
    check_json,
    clean_json,
    json_size,
    merge_patch,
)

anything = st.text(st.characters(), max_size=60)  # surrogates and control characters included
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True, allow_infinity=True) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_cleaned_json_can_be_stored(value: Any) -> None:
    cleaned = clean_json(value)
    json.dumps(cleaned, allow_nan=False, ensure_ascii=False).encode()
    check_json(cleaned, field="custom")
    assert clean_json(cleaned) == cleaned


@pytest.mark.parametrize(
    "bad",
    [{"a\x00": 1}, {"a": "\ud800"}, {"a": [{"b": "\x00"}]}, ["\x00"], "\x00", {"a": float("nan")}, [float("inf")],
     {"a": float("-inf")}],
    ids=ascii,
)  # fmt: skip
def test_json_that_jsonb_cannot_hold_is_refused(bad: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_json(bad, field="custom")
    assert refused.value.field == "custom"


def test_deeply_nested_json_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    with pytest.raises(ValidationFailed, match=r"^custom is nested more than"):
        check_json(deep, field="custom")


PATCHES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), PATCHES)
def test_a_patch_is_merged_by_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    before = json.dumps(target)
    assert merge_patch(target, patch) == result
    assert json.dumps(target) == before


@given(json_values, json_values)
def test_a_patch_twice_is_a_patch_once(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    assert repr(merge_patch(once, patch)) == repr(once)


TOO_LARGE = [
    ({str(number): number for number in range(501)}, "meta gets 501 keys; the limit is 500"),
    ({"a": "x" * 65_530}, "meta gets 65,539 bytes of JSON; the limit is 65,536"),
    ({"a": "ğ" * 40_000}, "meta gets 80,009 bytes"),
    ({"a": [1e300] * 300}, "bytes of JSON"),  # seven characters each, of which PostgreSQL makes 301
    ({"a": [1e-300] * 300}, "bytes of JSON"),
    ({"x" * 201: 1}, "meta has a key of 201 characters; the limit is 200"),
    ({"a": [{"x" * 201: 1}]}, "meta has a key of 201 characters"),
]


@pytest.mark.parametrize(("bad", "message"), TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_what_is_too_large_is_named_with_its_size_and_the_limit(bad: Any, message: str) -> None:
    with pytest.raises(ValidationFailed, match=message) as refused:
        check_document(bad, field="meta")
    assert refused.value.field == "meta"


@pytest.mark.parametrize("bad", [None, "x", [], {"a": "\x00"}])
def test_a_document_is_a_storable_object(bad: Any) -> None:
    with pytest.raises(ValidationFailed, match=r"^meta "):
        check_document(bad, field="meta")


def test_a_document_at_its_limits_is_accepted() -> None:
    check_document({"a": "x" * (DOCUMENT_MAX - 9)}, field="meta")
    check_document({f"{number:0200}": {} for number in range(300)}, field="meta")


def test_a_large_document_may_shrink_but_not_grow() -> None:
    stored = {"a": "x" * 90_000, "b": "y"}
    check_document_size({"a": "x" * 90_000}, field="custom", stored=stored)
    check_document_size(stored, field="custom", stored=stored)
    with pytest.raises(ValidationFailed):
        check_document_size({**stored, "c": 1}, field="custom", stored=stored)


async def test_sizes_are_those_that_the_database_counts(sql: AsyncConnection) -> None:
    examples = [
        *(
            {},
            [],
            {"a": {"b": [1, -2, 3.5, True, None]}},
            "ğ\u2028\x7f",
            'a"b\\c/d',
            "\n\r\t\b\f\x01\x1f",
            1e300,
            -1e22,
        ),
        *(1e-300, 0.1, 123456789.123, 2**62, 1e16, 1e15, 1.5e-7, {"ключ": "😀"}),
    ]
    for value in examples:
        query = text("SELECT octet_length(CAST(CAST(:value AS jsonb) AS text))")
        assert json_size(value) == await sql.scalar(query, {"value": json.dumps(value)}), value
