"""An endpoint's static headers: what may be sent, at the boundaries of their number and length."""

import pytest

from crm_graph.egress.headers import check_headers
from crm_graph.errors import ValidationFailed


def test_names_become_lower_case_and_values_are_trimmed() -> None:
    assert check_headers({"X-CRM-Secret": " geheim\t", "Authorization": "Bearer é"}) == {
        "x-crm-secret": "geheim",
        "authorization": "Bearer é",
    }
    assert check_headers({}) == {}


def test_twenty_headers_of_a_hundred_letters_and_4096_characters_are_taken() -> None:
    headers = {f"x{number:02}" + "n" * 97: "v" * 4_096 for number in range(20)}
    assert check_headers(headers) == headers


@pytest.mark.parametrize(
    "headers",
    [
        {"": "hidden"},
        {"X Y": "hidden"},
        {"X:Y": "hidden"},
        {"X\r\nY": "hidden"},
        {"ş": "hidden"},
        {"X" * 101: "hidden"},
        {"X": "hidden\r\nY: z"},
        {"X": "hidden\x00"},
        {"X": "hidden\x7f"},
        {"X": "hidden\x85"},
        {"X": "hiddenş"},
        {"X": "hidden" + "v" * 4_091},
        {"X": "hidden", "x": "other"},
        {f"X-{number}": "hidden" for number in range(21)},
        *({name: "hidden"} for name in ("Host", "CONTENT-LENGTH", "Content-Type", "transfer-encoding", "Connection")),
        *({name: "hidden"} for name in ("TE", "Upgrade", "Expect", "User-Agent", "Webhook-Id", "webhook-signature")),
        *({name: "hidden"} for name in ("X-Signature", "Proxy-Authorization", "traceparent", "Content-Encoding")),
    ],
    ids=lambda headers: ascii(next(iter(headers)))[:30],
)
def test_headers_that_are_refused_show_no_value(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as error:
        check_headers(headers)
    assert error.value.field == "headers"
    assert "hidden" not in str(error.value)
