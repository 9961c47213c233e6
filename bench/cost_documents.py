"""Documents whose cost is measured: those of real use, and each kind of field about as often as it is allowed."""

from typing import Any

from bench.documents import OURS, REPORTS
from bench.samples import Sample

_ID = "00000000-0000-0000-0000-000000000000"
_NOBODY = Sample(owner_id=_ID, token="", deal_id=_ID, stage_id=_ID, text="bakery")
_EVER = '(from: "0001-01-02T00:00:00Z")'


def _many(count: int, text: str) -> str:
    return "{ " + " ".join(text.replace("#", str(number)) for number in range(count)) + " }"


_LIMITS = {
    "1 attribution": _many(1, f"a#: pipelineReport{_EVER} {{ attribution {{ campaignId won }} }}"),
    "3 stage reports": _many(3, f"a#: pipelineReport{_EVER} {{ stages {{ medianDays p90Days }} }}"),
    "3 owners' reports": _many(3, f"a#: ownerReport{_EVER} {{ openCount activities replies }}"),
    "20 searches": _many(20, 'a#: search(text: "a", first: 5) { score deal { id } }'),
    "7 counts of activities": _many(7, "a#: activities { totalCount }"),
    "14 orders by amount": _many(14, "a#: deals(orderBy: AMOUNT_DESC) { nodes { id } }"),
    "4 of deals that rest": _many(4, "a#: deals(filter: {staleForDays: 36500}) { nodes { id } }"),
    "100 sums of a stage": "{ deals(first: 100) { nodes { stage { dealCount amountTotals { amount } } } } }",
    "100 x 80 deals": "{ deals(first: 100) { nodes { stage { deals(first: 80) "
    "{ nodes { id title contact { id } } } } } } }",
    "150 lists": _many(150, "a#: deals(first: 1) { ...D }") + " fragment D on DealConnection { nodes { id } }",
    "90 timelines": "{ deals(first: 1) { nodes " + _many(90, "a#: activities(first: 1) { ...A }")
    + " } } fragment A on ActivityConnection { nodes { id } }",
    "190 titles of 100": "{ deals(first: 100) { nodes " + _many(190, "a#: title") + " } }",
}  # fmt: skip

DOCUMENTS: list[tuple[str, str, dict[str, Any]]] = [
    *((name, document.query, document.variables(_NOBODY)) for name, document in OURS.items()),
    *((f"{name}, ever", query, {"from": "0001-01-02T00:00:00Z"}) for name, query in REPORTS.items()),
    *((name, document, {}) for name, document in _LIMITS.items()),
]
