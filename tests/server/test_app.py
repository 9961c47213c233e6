"""The answers of REST endpoints to errors."""

import pytest

from crm_graph.errors import CrmError, LimitReached, LostRace, NotFound, Unavailable
from crm_graph.server.app import error_response


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(LimitReached(retry_after=7), "7"), (LimitReached(), "5"), (Unavailable(), "5"), (LostRace(), "5"),
     (NotFound(), None)],
)  # fmt: skip
def test_an_error_says_when_to_retry(error: CrmError, seconds: str | None) -> None:
    answer = error_response(error)

    assert answer.status_code == error.status
    assert answer.headers.get("retry-after") == seconds
