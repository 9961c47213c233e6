"""The limits of a token's time and subject, at their boundaries."""

from datetime import timedelta

import pytest

from crm_graph.errors import Unauthenticated, ValidationFailed
from crm_graph.identity.tokens import Tokens, read_bearer
from crm_graph.values import utc_now
from tests.support.credentials import JWT_SECRET
from tests.support.tokens import ADA, token

TOKENS = Tokens(JWT_SECRET.encode())


def test_a_token_is_valid_for_400_days_and_no_longer() -> None:
    issued = TOKENS.issue("ada@seller.com", timedelta(days=400), utc_now())
    assert TOKENS.verify(issued).seconds_left == pytest.approx(timedelta(days=400).total_seconds() + 30, abs=5)
    with pytest.raises(ValidationFailed, match="at most 400 days"):
        TOKENS.issue("ada@seller.com", timedelta(days=400, seconds=1), utc_now())


@pytest.mark.parametrize("length", [1, 320])
def test_a_subject_of_a_possible_length_is_read(length: int) -> None:
    assert TOKENS.verify(token({"sub": "x" * length})).subject == "x" * length


@pytest.mark.parametrize("length", [0, 321])
def test_a_subject_of_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.verify(token({"sub": "x" * length}))


def test_only_a_server_that_revokes_by_time_asks_when_a_token_was_issued() -> None:
    unissued = token(without=("iat",))
    assert Tokens(JWT_SECRET.encode()).verify(unissued).subject == ADA
    with pytest.raises(Unauthenticated):
        Tokens(JWT_SECRET.encode(), not_before=utc_now() - timedelta(days=1)).verify(unissued)


@pytest.mark.parametrize("id_", ["not a uuid", "", "7"])
def test_a_token_whose_id_is_none_of_ours_is_valid_and_has_none(id_: object) -> None:
    assert Tokens(JWT_SECRET.encode()).verify(token({"jti": id_})).token_id is None


def test_a_bearer_may_have_8192_characters() -> None:
    padding = 8_192 - len("Bearer a.b.")
    assert read_bearer([f"Bearer a.b.{'c' * padding}"]).startswith("a.b.")
    with pytest.raises(Unauthenticated):
        read_bearer([f"Bearer a.b.{'c' * (padding + 1)}"])


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_whole_number_may_be_written_as_a_float(name: str) -> None:
    now = int(utc_now().timestamp())
    claims = {"exp": now + 300, "iat": now, "nbf": now}
    assert TOKENS.verify(token(claims | {name: float(claims[name])})).subject == ADA


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (token(key=b"x" * 32), "it was signed with another key than JWT_SECRET"),
        (token(without=("sub",)), "it has no claim sub"),
        (token({"exp": 4_102_444_800.5}), "exp, nbf and iat must be whole numbers of seconds"),
        (token({"nbf": 4_102_444_800}), "it is not valid yet: compare the clocks"),
        (token({"sub": 7}), "it is malformed"),
        (token(header={"alg": "HS512"}), "its algorithm is not HS256"),
    ],
)
def test_the_log_says_why_a_token_was_refused_and_the_answer_does_not(
    caplog: pytest.LogCaptureFixture, made: str, reason: str
) -> None:
    with caplog.at_level("INFO"), pytest.raises(Unauthenticated) as refused:
        TOKENS.verify(made)
    assert caplog.messages == [f"token refused: {reason}"]
    assert refused.value.message == Unauthenticated().message
