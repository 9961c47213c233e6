"""Imports contacts from a CSV file on behalf of an owner: upserts them in batches, in which a line can fail alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from crm_graph.database.engine import Database
from crm_graph.database.retries import retry_on_conflict
from crm_graph.domain.batches import ITEMS_MAX, ItemResult
from crm_graph.domain.contacts import upsert
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import ValidationFailed
from crm_graph.identity.principal import Principal
from crm_graph.import_export.csv_columns import Columns, Item
from crm_graph.import_export.csv_reader import CsvFile, Line
from crm_graph.values import utc_now

Report = Callable[[int, str], None]  # called with the number of a failed line and the reason


@dataclass(slots=True)
class Counts:
    """How many lines had which effect."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0

    def add(self, result: ItemResult) -> None:
        """Count a line that succeeded."""
        if result.created:
            self.created += 1
        elif result.changed:
            self.changed += 1
        else:
            self.unchanged += 1


async def import_contacts(
    database: Database,
    principal: Principal,
    file: CsvFile,
    columns: Columns,
    *,
    report: Report,
    restore_deleted: bool = False,
    dry_run: bool = False,
) -> Counts:
    """Upsert a contact for each line, in their order; each batch of lines is a transaction.

    Failed lines are reported and skipped. A dry run rolls each batch back. Raises Forbidden or Unavailable: earlier
    batches are committed then, and importing the file again leaves their contacts unchanged.
    """
    counts = Counts()
    postponed: list[tuple[Line, Item]] = []
    while batch := postponed + list(islice(_items(file, columns, counts, report), ITEMS_MAX - len(postponed))):
        postponed = []
        items = [item for _, item in batch]
        attempt = partial(_upsert, database, principal, items, restore_deleted=restore_deleted, dry_run=dry_run)
        for (line, item), result in zip(batch, await retry_on_conflict(attempt), strict=True):
            if result.error is None:
                counts.add(result)
            elif "sameAs" in result.error.details:  # an earlier line of this batch is about the same contact
                postponed.append((line, item))
            else:
                counts.failed += 1
                report(line.number, columns.reason(result.error))
    return counts


async def _upsert(
    database: Database,
    principal: Principal,
    items: Sequence[Mapping[str, object]],
    *,
    restore_deleted: bool,
    dry_run: bool,
) -> list[ItemResult]:
    try:
        async with database.transaction(source=principal.source) as transaction:
            work = UnitOfWork(transaction, principal, utc_now())
            results = await upsert.upsert_all(work, items=items, restore_deleted=restore_deleted)
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    return results


class _RolledBack(Exception):
    """Ends the transaction of a dry run."""


def _items(file: CsvFile, columns: Columns, counts: Counts, report: Report) -> Iterator[tuple[Line, Item]]:
    for line in file.lines:
        try:
            yield line, columns.item(line)
        except ValidationFailed as error:
            counts.failed += 1
            report(line.number, columns.reason(error))
