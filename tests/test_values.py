"""Names, texts, money and times: normal forms and limits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_graph import values
from crm_graph.errors import ValidationFailed

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
anything = st.text(st.characters(), max_size=60)  # surrogates and control characters included


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
def test_unstorable_text_is_refused_with_its_field(bad: str) -> None:
    with pytest.raises(ValidationFailed, match=r"^title contains") as refused:
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
        ("NaN", "USD", "amount"), ("sNaN", "USD", "amount"), ("Infinity", "USD", "amount"),
        ("-Infinity", "USD", "amount"), ("1e-400", "USD", "amount"), ("10.5", "JPY", "amount"),
        ("1.255", "KWD", "amount"),
        (None, "usd", "currency"), (None, "Usd", "currency"), (None, "XXZ", "currency"), (None, "", "currency"),
        (None, "US", "currency"), (None, "US Dollar", "currency"), (None, "840", "currency"), (None, "$", "currency"),
        (None, "USD ", "currency"), ("1", "UЅD", "currency"), (None, "x" * 100_000, "currency"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_money_is_refused_with_its_field(amount: str | None, currency: str, field: str) -> None:
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
def test_a_webhooks_time_is_parsed_or_replaced_by_now(raw: Any, parsed: str) -> None:
    assert values.parse_time(raw, now=NOW).isoformat() == parsed


@given(st.datetimes(timezones=st.none() | st.timezones()) | anything)
def test_a_webhooks_time_is_never_in_the_future(raw: Any) -> None:
    moment = values.parse_time(raw.isoformat() if isinstance(raw, datetime) else raw, now=NOW)
    assert moment <= NOW
    assert moment.utcoffset() == timedelta(0)


# The examples of RFC 7396, appendix A, but for those whose result is no object.
@pytest.mark.parametrize("bad", ["", " \n\t\u00a0", "a\x00", "\ud800", "\x07", "\x1b", "\x7f", "\x9f", "x" * 100_001])
def test_prose_says_something_and_has_no_control_characters(bad: str) -> None:
    with pytest.raises(ValidationFailed, match=r"^content ") as refused:
        values.check_prose(bad, field="content")
    assert refused.value.field == "content"


@pytest.mark.parametrize("bad", ["a\nb", "a\tb", "a\rb", "a\x07", "\x1b[31m", "a\x7f", "a\x85b", "a\x00", "x" * 501])
def test_a_line_has_no_control_characters(bad: str) -> None:
    with pytest.raises(ValidationFailed, match=r"^title ") as refused:
        values.check_line(bad, field="title")
    assert refused.value.field == "title"


def test_prose_keeps_its_lines() -> None:
    for good in ("a\r\n\tb\u2028c \U0001f600", "x" * 100_000):
        assert values.check_prose(good, field="content") == good


def test_a_company_needs_its_own_domain() -> None:
    assert values.check_company_domain(" Köln.Example. ") == "xn--kln-sna.example"
    for bad in ("gmail.com", "GMAIL.com.", "localhost", "a b.example"):
        with pytest.raises(ValidationFailed, match="domain"):
            values.check_company_domain(bad)


@pytest.mark.parametrize("digits", [9, 10, 4_300, 4_301, 100_000])
@pytest.mark.parametrize("form", ["&#%s;", "&#x%s;", "&#X%s"])
def test_a_character_reference_of_any_length_is_read(digits: int, form: str) -> None:
    assert values.unescape_html(f"a&lt;b {form % ('9' * digits)} &#64;&#x40; &amp;") == "a<b \ufffd @@ &"
