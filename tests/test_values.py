"""Normal forms and limits of single values."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph import values
from crm_graph.errors import ValidationFailed

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
anything = st.text(st.characters(), max_size=60)  # surrogates and control characters included
local = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
domain = st.one_of(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?(\.[A-Za-z]{2,5}){1,2}\.?", fullmatch=True),
    st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=60).map(lambda name: f"{name}.example"),
    st.text(st.characters(categories=("L",)), min_size=120, max_size=200).map(
        lambda n: ".".join(n[i : i + 20] for i in range(0, len(n), 20))
    ),
)
address = st.builds(
    lambda a, b, pad: f"{pad}{a}@{b}{pad}", local, domain, st.sampled_from(["", " ", "\t", "\ufeff", "\u200b"])
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True, allow_infinity=True) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def accepted(raw: str) -> str | None:
    try:
        return values.normal_email(raw)
    except ValidationFailed as error:
        assert error.field == "email"
        return None


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@EXAMPLE.Com\t", "ada@example.com"),
        ("\ufeffada@example.com\u200b", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),
        ("INFO@firma.com.tr", "info@firma.com.tr"),
        ("IŞIL@firma.com.tr", "iŞil@firma.com.tr"),
        ("İnfo@firma.com.tr", "İnfo@firma.com.tr"),
        ("ada+crm@example.com", "ada+crm@example.com"),
        ("o'neil.x_y-z@example.co.uk", "o'neil.x_y-z@example.co.uk"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ada@mu\u0308nchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ("ada@İstanbul.example", "ada@xn--istanbul-o0e.example"),
        ("ada@localhost", "ada@localhost"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)  # fmt: skip
def test_an_address_has_one_normal_form(raw: str, normal: str) -> None:
    assert values.normal_email(raw) == normal


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "ada", "@example.com", "ada@", "ada@@example.com", "a@b@example.com", "ada lovelace@example.com",
        "ada@exa mple.com", "ada@-example.com", "ada@example-.com", "ada@.com", "ada@example..com", "ada@exam_ple.com",
        "ada@example.com\r\nBcc: all@example.com", "ada\n@example.com", "ada@example.com\x00", "a\x00da@example.com",
        "a\u202eda@example.com", "a\u200bda@example.com", "\ud800@example.com", "ada@\ud800.com", "a\ue000@example.com",
        '"ada"@example.com', "<ada@example.com>", "Ada <ada@example.com>", "ada,bob@example.com", "a(x)@example.com",
        "ada@[127.0.0.1]", "ada@" + "a" * 64 + "." + "b" * 250, "a" * 10_000 + "@example.com", "a" * 250 + "@b.com",
        "a" * 150 + "@" + ".".join(["ü" * 20] * 4),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(raw: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        values.normal_email(raw, field="contact_email")
    assert refused.value.field == "contact_email"


@given(address | anything)
def test_a_normal_address_is_its_own_normal_form(raw: str) -> None:
    if (normal := accepted(raw)) is not None:
        assert values.normal_email(normal) == normal
        assert len(normal) <= values.EMAIL_MAX


@given(st.lists(address, min_size=1, max_size=50))
@settings(max_examples=20, deadline=None)
def test_normal_addresses_have_no_upper_case_ascii_and_an_ascii_domain(raw: list[str]) -> None:
    for normal in filter(None, map(accepted, raw)):
        assert not any("A" <= letter <= "Z" for letter in normal)
        assert normal.rpartition("@")[2].isascii()


async def test_normal_addresses_meet_the_databases_check(sql: AsyncConnection) -> None:
    samples: list[str] = []

    @given(address)
    @settings(max_examples=300, deadline=None)
    def collect(raw: str) -> None:
        if (normal := accepted(raw)) is not None:
            samples.append(normal)

    collect()
    check = await sql.scalar(
        text(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'contacts_email_normal_form_check'"
        )
    )
    query = text(
        f'SELECT email FROM (SELECT unnest(CAST(:samples AS text[])) COLLATE "C" AS email) x WHERE NOT ({check})'
    )
    assert len(samples) > 30
    assert list(await sql.scalars(query, {"samples": samples})) == []


@pytest.mark.parametrize(
    ("email", "company"),
    [
        ("ada@acme.example", "acme.example"),
        ("ada@gmail.com", None),
        ("ada@yahoo.com.tr", None),
        ("ada@localhost", None),
    ],
)
def test_a_free_mail_host_is_nobodys_company(email: str, company: str | None) -> None:
    assert values.company_domain(email) == company


@pytest.mark.parametrize(
    "spellings",
    [
        ("Acme GmbH", "ACME  gmbh", " acme-gmbh.", "Ácme GmbH"),
        ("IŞIK", "ışık", "Işık", "isik", "İşik"),
        ("Acme™", "acmetm", "ACME™"),
        ("ℌouse", "house", "HOUSE"),
        ("Straße", "STRASSE", "strasse"),
        ("ＡＣＭＥ", "acme"),
    ],
)
def test_spellings_of_one_company_name_share_a_key(spellings: tuple[str, ...]) -> None:
    assert len({values.name_key(name) for name in spellings}) == 1


@given(anything)
def test_a_name_key_is_its_own_key(name: str) -> None:
    key = values.name_key(name)
    assert values.name_key(key) == key
    assert values.name_key(name + " " * 3) == key


def test_long_name_keys_are_cut() -> None:
    key = values.name_key("ab " * 1_000)
    assert len(key) <= 200
    assert values.name_key(key) == key


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "x\udfff"])
def test_unstorable_text_is_refused_by_name(bad: str) -> None:
    with pytest.raises(ValidationFailed, match="^title contains") as refused:
        values.check_text(bad, field="title")
    assert refused.value.field == "title"


def test_text_is_kept_as_it_is_up_to_its_limit() -> None:
    html = "<b>=cmd()|' /C calc'!A0</b>\u202e %_\\"

    assert values.check_text(html, field="title") == html
    assert values.check_text("x" * 500, field="title")
    with pytest.raises(ValidationFailed, match="title is longer than 500 characters"):
        values.check_text("x" * 501, field="title")


@given(anything, st.integers(0, 30))
def test_a_cleaned_line_is_one_storable_line(raw: str, limit: int) -> None:
    line = values.clean_line(raw, limit)
    if line is not None:
        assert 0 < len(line) <= limit
        assert line == " ".join(line.split())
        line.encode()
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line)
        assert values.clean_line(line, limit) == line


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (" a \r\n b\x00\x1b[31m ", "a b[31m"),
        (5, "5"),
        (1.5, "1.5"),
        (True, None),
        (None, None),
        ([], None),
        ("\x00", None),
    ],
)
def test_lines_are_made_of_texts_and_numbers(raw: Any, line: str | None) -> None:
    assert values.clean_line(raw) == line


@given(anything)
def test_cleaned_text_is_storable(raw: str) -> None:
    cleaned = values.clean_text(raw)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert values.clean_text(cleaned) == cleaned


def test_cleaned_text_keeps_its_lines() -> None:
    assert values.clean_text("Hi,\n\n\tyes\x00 \ud83d please\n") == "Hi,\n\n\tyes  please"
    assert values.clean_text(None) == ""


@given(json_values)
def test_cleaned_json_can_be_stored(value: Any) -> None:
    cleaned = values.clean_json(value)
    json.dumps(cleaned, allow_nan=False, ensure_ascii=False).encode()
    values.check_json(cleaned, field="custom")
    assert values.clean_json(cleaned) == cleaned


@pytest.mark.parametrize(
    "bad",
    [{"a\x00": 1}, {"a": "\ud800"}, {"a": [{"b": "\x00"}]}, ["\x00"], "\x00", {"a": float("nan")}, [float("inf")],
     {"a": float("-inf")}],
    ids=ascii,
)  # fmt: skip
def test_json_that_jsonb_cannot_hold_is_refused(bad: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        values.check_json(bad, field="custom")
    assert refused.value.field == "custom"


def test_deeply_nested_json_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    with pytest.raises(ValidationFailed, match="^custom is nested more than"):
        values.check_json(deep, field="custom")


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0", "USD"), ("0.01", "EUR"), ("1200.50", "TRY"), ("1200", "JPY"), ("1200.00", "JPY"), ("999999999999.99", "USD"),
     ("1.25", "KWD"), (None, "USD")],
)  # fmt: skip
def test_money_that_a_currency_can_express(amount: str | None, currency: str) -> None:
    values.check_money(None if amount is None else Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [
        ("-0.01", "USD", "amount"), ("0.005", "USD", "amount"), ("1e12", "USD", "amount"), ("1e14", "USD", "amount"),
        ("NaN", "USD", "amount"), ("sNaN", "USD", "amount"), ("Infinity", "USD", "amount"), ("-Infinity", "USD", "amount"),
        ("1e-400", "USD", "amount"), ("10.5", "JPY", "amount"), ("1.255", "KWD", "amount"),
        (None, "usd", "currency"), (None, "Usd", "currency"), (None, "XXZ", "currency"), (None, "", "currency"),
        (None, "US", "currency"), (None, "US Dollar", "currency"), (None, "840", "currency"), (None, "$", "currency"),
        (None, "USD ", "currency"), ("1", "UЅD", "currency"), (None, "x" * 100_000, "currency"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_money_that_is_refused_by_name(amount: str | None, currency: str, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        values.check_money(None if amount is None else Decimal(amount), currency)
    assert refused.value.field == field
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00+03:00", "2026-01-05T07:00:00+00:00"),
        ("2026-01-05T10:00:00", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05", "2026-01-05T00:00:00+00:00"),
        ("2027-01-01T00:00:00Z", NOW.isoformat()),
        ("0001-01-01T00:00:00+14:00", NOW.isoformat()),
        ("9999-12-31T23:59:59-14:00", NOW.isoformat()),
        ("1969-12-31T23:59:59Z", NOW.isoformat()),
        ("yesterday", NOW.isoformat()),
        (1_767_600_000, NOW.isoformat()),
        (None, NOW.isoformat()),
        ({}, NOW.isoformat()),
    ],
)
def test_a_webhooks_time_is_read_or_taken_as_now(raw: Any, parsed: str) -> None:
    assert values.parse_time(raw, now=NOW).isoformat() == parsed


@given(st.datetimes(timezones=st.none() | st.timezones()) | anything)
def test_a_webhooks_time_never_lies_ahead(raw: Any) -> None:
    moment = values.parse_time(raw.isoformat() if isinstance(raw, datetime) else raw, now=NOW)
    assert moment <= NOW
    assert moment.utcoffset() == timedelta(0)
