"""Backoff: how long to wait before the next attempt at something that keeps failing."""

import random


class Backoff:
    """Waits that double after each failure, from `first` to at most `longest` seconds.

    Jitter takes up to half of each wait away, so that processes that failed together do not come back together.
    """

    def __init__(self, first: float, longest: float, *, jitter: bool = True) -> None:
        self._first, self._longest, self._jitter = first, longest, jitter
        self._wait = first

    def next(self) -> float:
        """The seconds to wait now; the next wait is twice as long."""
        wait, self._wait = self._wait, min(self._wait * 2, self._longest)
        return wait * random.uniform(0.5, 1) if self._jitter else wait  # noqa: S311 - not a secret

    def reset(self) -> None:
        """Begin again with the first wait, after a success."""
        self._wait = self._first
