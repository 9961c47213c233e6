"""An endpoint's static headers: what may be sent, at the boundaries of their number and length."""

import pytest

from crm_graph.egress.headers import check_headers
from crm_graph.errors import ValidationFailed


def test_names_are_lower_case_and_values_trimmed() -> None:
    assert check_headers({"X-Key": " a b\t", "authorization": "Bearer é"}) == {
        "x-key": "a b",
        "authorization": "Bearer é",
    }


def test_twenty_headers_of_a_hundred_letters_and_4096_characters_are_taken() -> None:
    headers = {f"x{number:02}" + "n" * 97: "v" * 4_096 for number in range(20)}
    assert check_headers(headers) == headers


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({f"x{number}": "v" for number in range(21)}, "headers has more than 20 entries"),
        ({"x" * 101: "v"}, "is not a valid header name"),
        ({"x y": "v"}, "is not a valid header name"),
        ({"": "v"}, "is not a valid header name"),
        ({"x": "v" * 4_097}, "the value of x is too long"),
        ({"x": "a\nb"}, "not one line"),
        ({"x": "€"}, "Latin-1"),
        ({"x": "1", "X": "2"}, "x is given twice"),
        ({"Host": "a"}, "host is set by crm-graph itself"),
        ({"Webhook-Id": "a"}, "webhook-id is set by crm-graph itself"),
        ({"Proxy-Authorization": "a"}, "proxy-authorization is set by crm-graph itself"),
    ],
)
def test_another_header_is_refused_without_its_value(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationFailed, match=message) as refused:
        check_headers(headers)
    assert refused.value.field == "headers"
    assert "€" not in str(refused.value)
