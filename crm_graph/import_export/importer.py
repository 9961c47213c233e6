"""Imports: contacts out of a CSV file, upserted in batches on behalf of an owner; each bad line fails for itself."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from crm_graph.database import retries
from crm_graph.database.engine import Database
from crm_graph.domain.batches import ITEMS_MAX, ItemResult
from crm_graph.domain.contacts import upsert
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import CrmError, SetupError, ValidationFailed
from crm_graph.identity.principal import Principal
from crm_graph.import_export.csv_reader import Line, Sheet
from crm_graph.models import LifecycleStage
from crm_graph.values import merge_patch, name_key, utc_now

VARIABLE, NOTHING = "variable", ""  # what a column can be besides a field of a contact
# The headers that mean a field, without case, accents, spaces and underscores.
HEADERS = {
    "email": "email emailaddress mail eposta",
    "full_name": "fullname name contactname adsoyad",
    "first_name": "firstname givenname ad",
    "last_name": "lastname surname familyname soyad",
    "title": "title jobtitle position unvan",
    "phone": "phone phonenumber mobile mobilephone telephone tel telefon",
    "website": "website web",
    "linkedin_url": "linkedinurl linkedin linkedinprofile",
    "company_name": "companyname company organisation organization account sirket firma",
    "company_id": "companyid",
    "owner_id": "ownerid",
    "lifecycle_stage": "lifecyclestage",
    "custom": "custom",
    # What an export tells besides, and nobody can set.
    NOTHING: "id owneremail ownersource replystatus replysummary replystatussource replystatusat needsreview ooountil "
    "donotcontactat donotcontactreason latestemailsentat version createdat updatedat",
}
_MEANINGS = {header: field for field, headers in HEADERS.items() for header in headers.split()}
Report = Callable[[int, str], None]  # the line, and what is wrong with it


@dataclass(slots=True)
class Tally:
    """How many lines had which effect."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0


class Columns:
    """What the columns of a sheet mean: fields of a contact, lead variables, or nothing."""

    def __init__(self, header: Sequence[str], said: Mapping[str, str]) -> None:
        """`said` has what some columns mean, by their headers: a header that means it, VARIABLE, or NOTHING.

        Raises SetupError.
        """
        self.names = [name.strip() for name in header]
        if unknown := said.keys() - set(self.names):
            raise SetupError(f"there is no column {min(unknown)!r}; there are: {', '.join(self.names)}")
        fields = {name: _said(meaning) for name, meaning in said.items()}
        self.fields = [fields.get(name, _meaning(name)) for name in self.names]
        self._check()

    def item(self, line: Line) -> dict[str, Any]:
        """The item that a line is; an empty cell says nothing. Raises ValidationFailed."""
        if line.problem:
            raise ValidationFailed(line.problem)
        given: dict[str, str] = {}
        variables: dict[str, str] = {}
        for name, field, cell in zip(self.names, self.fields, line.cells, strict=True):
            if cell.strip() and field != NOTHING:
                (variables if field == VARIABLE else given)[name if field == VARIABLE else field] = cell
        return _item(given, variables)

    def reason(self, error: CrmError) -> str:
        """Why a line failed, in the words of its sheet."""
        if error.field not in self.fields:
            return error.message
        name = self.names[self.fields.index(error.field)]
        message = error.message.replace(error.field, name)
        return message if name in message else f"{name}: {message}"

    def _check(self) -> None:
        if "email" not in self.fields:
            hint = "say which with --mapping COLUMN=email"
            raise SetupError(f"no column is the e-mail address: {hint}; there are: {', '.join(self.names)}")
        names: dict[tuple[str, str], list[str]] = {}
        for name, field in zip(self.names, self.fields, strict=True):
            names.setdefault((field, name if field == VARIABLE else ""), []).append(name)
        for (field, variable), meant in names.items():
            if len(meant) > 1 and field != NOTHING:
                hint = "leave one out with --mapping COLUMN="
                raise SetupError(f"the columns {' and '.join(meant)} are both {variable or field}: {hint}")


async def run(
    database: Database,
    principal: Principal,
    sheet: Sheet,
    columns: Columns,
    *,
    report: Report,
    restore_deleted: bool = False,
    dry_run: bool = False,
) -> Tally:
    """Upsert a contact for each line, as if each were a call of its own, in its order; a batch is a transaction.

    A dry run undoes each batch. Bad lines are reported and left out. Raises Forbidden or Unavailable; then the batches
    before are done, and to run it again does them no harm.
    """
    tally = Tally()
    waiting: list[tuple[Line, dict[str, Any]]] = []
    while batch := waiting + list(islice(_items(sheet, columns, tally, report), ITEMS_MAX - len(waiting))):
        waiting = []
        items = [item for _, item in batch]
        how = {"restore_deleted": restore_deleted, "dry_run": dry_run}
        outcomes = await retries.retry_on_conflict(partial(_upsert, database, principal, items, **how))
        for (line, item), outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                _count(tally, outcome)
            elif "sameAs" in outcome.error.details:  # the line of the same contact that comes first is done by now
                waiting.append((line, item))
            else:
                tally.failed += 1
                report(line.number, columns.reason(outcome.error))
    return tally


async def _upsert(
    database: Database,
    principal: Principal,
    items: Sequence[Mapping[str, Any]],
    *,
    restore_deleted: bool,
    dry_run: bool,
) -> list[ItemResult]:
    try:
        async with database.transaction(source=principal.source) as transaction:
            outcomes = await upsert.upsert_all(
                UnitOfWork(transaction, principal, utc_now()), items=items, restore_deleted=restore_deleted
            )
            if dry_run:
                raise _Undone
    except _Undone:
        pass
    return outcomes


class _Undone(Exception):
    """Ends the transaction of a dry run."""


def _items(sheet: Sheet, columns: Columns, tally: Tally, report: Report) -> Iterator[tuple[Line, dict[str, Any]]]:
    for line in sheet.lines:
        try:
            yield line, columns.item(line)
        except ValidationFailed as error:
            tally.failed += 1
            report(line.number, columns.reason(error))


def _count(tally: Tally, outcome: ItemResult) -> None:
    if outcome.created:
        tally.created += 1
    elif outcome.changed:
        tally.changed += 1
    else:
        tally.unchanged += 1


def _meaning(header: str) -> str:
    return _MEANINGS.get(_key(header), VARIABLE if header else NOTHING)


def _said(meaning: str) -> str:
    if meaning in (VARIABLE, NOTHING):
        return meaning
    if found := _MEANINGS.get(_key(meaning)):
        return found
    known = ", ".join(field for field in HEADERS if field)
    raise SetupError(f"a column can't mean {meaning!r}; it can be {known}, {VARIABLE}, or nothing")


def _key(header: str) -> str:
    return name_key(header).replace(" ", "")


def _item(given: dict[str, str], variables: Mapping[str, str]) -> dict[str, Any]:
    names = [given.pop(name, "") for name in ("first_name", "last_name")]
    item: dict[str, Any] = {"email": ""} | given
    if any(names):
        item.setdefault("full_name", " ".join(filter(None, names)))
    for name in ("company_id", "owner_id"):
        if name in item:
            item[name] = _id(item[name], name)
    if "lifecycle_stage" in item:
        item["lifecycle_stage"] = _stage(item["lifecycle_stage"])
    if "custom" in item or variables:
        item["custom"] = {**_document(item.get("custom", "{}")), **variables}
    return item


def _id(cell: str, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(cell)
    except ValueError:
        raise ValidationFailed(f"{field} is not an id", field=field) from None


def _stage(cell: str) -> LifecycleStage:
    try:
        return LifecycleStage(cell.strip().lower())
    except ValueError:
        raise ValidationFailed(
            f"lifecycle_stage must be one of {', '.join(LifecycleStage)}", field="lifecycle_stage"
        ) from None


def _document(cell: str) -> dict[str, Any]:
    """A JSON object; what is null in it says nothing, as an empty cell does."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValidationFailed("custom is not a JSON object", field="custom")
    document: dict[str, Any] = merge_patch({}, found)
    return document
