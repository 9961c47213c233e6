"""Batches: many items in one call, each of which succeeds or fails on its own."""

import uuid
from collections.abc import Callable, Hashable, Mapping, Sized
from dataclasses import dataclass
from typing import TypeVar

from crm_graph.errors import CrmError, ValidationFailed

ITEMS_MAX = 500
Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one item: the row it is about, or the error because of which nothing of it was done."""

    id: uuid.UUID | None = None
    created: bool = False
    changed: bool = False
    error: CrmError | None = None


def check_size(items: Sized) -> None:
    """Raises ValidationFailed for more than ITEMS_MAX items."""
    if len(items) > ITEMS_MAX:
        raise ValidationFailed(f"items has {len(items):,} entries; send at most {ITEMS_MAX} in a call", field="items")


class ItemErrors(dict[int, CrmError]):
    """Why items failed, by their index in the call."""

    def try_each(self, items: Mapping[int, Item], do: Callable[[int, Item], Made]) -> dict[int, Made]:
        """The results of `do` for each item; an item that it raises a CrmError for is left out, and has failed."""
        made = {}
        for index, item in items.items():
            try:
                made[index] = do(index, item)
            except CrmError as error:
                self[index] = error
        return made

    def remaining(self, items: Mapping[int, Item]) -> dict[int, Item]:
        """The items that have not failed."""
        return {index: item for index, item in items.items() if index not in self}

    def refuse_duplicates(self, keys: Mapping[int, Hashable], what: str, field: str) -> None:
        """Fail each item whose key an earlier item has: which of the two is right is unknown."""
        first: dict[Hashable, int] = {}
        for index, key in keys.items():
            earlier = first.setdefault(key, index)
            if earlier != index:
                message = f"the same {what} as items[{earlier}]"
                self[index] = ValidationFailed(message, field=field, details={"sameAs": earlier})
