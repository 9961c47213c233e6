"""Numbers and dates as people write them: refused with what to send instead."""

import pytest

from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.scalars import parse_date, parse_date_time, parse_decimal

POINT = "send a point before the decimals, and nothing between the thousands"
ALONE = "send the number alone, and the currency in its own field"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("1.234,56", POINT), ("12,5", POINT), ("1 200", POINT), ("1\u202f200,50", POINT), ("1'200.50", POINT),
        ("1.200.000", POINT), ("1,200.50 EUR", ALONE), ("€ 12", ALONE), ("12€", ALONE), ("USD 1200.50", ALONE),
    ],
)  # fmt: skip
def test_a_number_with_a_comma_or_a_currency_says_what_to_send(value: str, hint: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_decimal(value)
    assert refused.value.message.endswith(f"after): {hint}")


@pytest.mark.parametrize("value", ["", "abc", "--1", "1e3", None, True, [], "1" * 16, "1.2345678"])
def test_anything_else_says_the_form_alone(value: object) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_decimal(value)
    assert refused.value.message.endswith("6 after)")


@pytest.mark.parametrize("value", ["31.12.2026", "12/31/2026", "2026-1-5", "2026-12-31T00:00:00Z", "31.12.2026 10:00"])
def test_a_date_in_another_order_says_the_right_one(value: str) -> None:
    with pytest.raises(ValidationFailed, match="send year, month and day in this order, without a time"):
        parse_date(value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("2026-12-31", "send year, month, day, time and offset in this order"),
        ("31.12.2026 10:00", "send year, month, day, time and offset in this order"),
        (1_767_600_000, "convert the number of seconds or milliseconds"),
    ],
)
def test_a_time_without_its_parts_says_which(value: object, hint: str) -> None:
    with pytest.raises(ValidationFailed, match=hint):
        parse_date_time(value)
