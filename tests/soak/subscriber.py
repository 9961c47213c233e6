"""A subscriber who answers at random: 200, errors, resets, no answer; and for a while nothing but errors."""

import random
from collections import Counter

from tests.support.http_receiver import Reaction, Received, Receiver, answer, close_early, hang, reset

MOODS: dict[str, tuple[float, Reaction]] = {  # what it does, and how often
    "200": (0.86, answer(200)),
    "500": (0.05, answer(500)),
    "503": (0.02, answer(503, retry_after="1")),
    "reset": (0.04, reset),
    "half an answer": (0.02, close_early),
    "hang": (0.01, hang),
}
# The third failure of one delivery is followed by five minutes, for which nobody wants to wait here.
FAILURES_EACH = 2


class UnreliableSubscriber:
    """Decides over each request of a receiver, and remembers what it took."""

    def __init__(self, receiver: Receiver, seed: int) -> None:
        self.receipts: list[str] = []  # the events that it answered with 200, in their order
        self.answers: Counter[str] = Counter()
        self.is_down = self.is_reliable = False
        self._random = random.Random(seed)
        self._failures: Counter[str] = Counter()
        receiver.decide = self._decide

    def _decide(self, request: Received) -> Reaction:
        event = request.headers["webhook-id"]
        mood = self._mood(event)
        self.answers[mood] += 1
        if mood == "200":
            self.receipts.append(event)
        else:
            self._failures[event] += 1
        return MOODS[mood][1]

    def _mood(self, event: str) -> str:
        if self.is_reliable or self._failures[event] >= FAILURES_EACH:
            return "200"
        if self.is_down:
            return "500"
        return self._random.choices(list(MOODS), [weight for weight, _ in MOODS.values()])[0]
