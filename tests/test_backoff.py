"""The waits between attempts."""

from crm_graph.backoff import Backoff


def test_waits_double_up_to_the_longest_and_begin_again_after_a_success() -> None:
    backoff = Backoff(0.25, 1.0, jitter=False)

    assert [backoff.next() for _ in range(5)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    backoff.reset()
    assert backoff.next() == 0.25


def test_jitter_shortens_a_wait_by_up_to_half() -> None:
    waits = [Backoff(1.0, 1.0).next() for _ in range(200)]

    assert all(0.5 <= wait <= 1 for wait in waits)
    assert max(waits) - min(waits) > 0.2
