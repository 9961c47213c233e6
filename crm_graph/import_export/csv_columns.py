"""What the columns of an imported file are: which field of a contact each header means, and how its cells are read."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from crm_graph.errors import CrmError, SetupError, ValidationFailed
from crm_graph.import_export.csv_reader import Line
from crm_graph.json_documents import merge_patch
from crm_graph.models import LifecycleStage
from crm_graph.values import name_key

Item: TypeAlias = dict[str, object]
VARIABLE, IGNORED = "variable", ""  # what a column can be besides a field of a contact
# The headers of each field, without case, accents, spaces and underscores.
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
    # Other columns of an export, which can't be set.
    IGNORED: "id owneremail ownersource replystatus replysummary replystatussource replystatusat needsreview ooountil "
    "donotcontactat donotcontactreason latestemailsentat version createdat updatedat",
}
_LINE_BREAKS = re.compile(r"[\t\r\n]+")
_FIELDS = {header: field for field, headers in HEADERS.items() for header in headers.split()}


class Columns:
    """The columns of a file: fields of a contact, lead variables, or ignored."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        """`mapping` overrides what columns are, by their names: a header of the field, VARIABLE or IGNORED.

        Raises SetupError.
        """
        self.names = [name.strip() for name in header]
        if unknown := mapping.keys() - set(self.names):
            raise SetupError(f"there is no column {min(unknown)!r}; the columns are: {', '.join(self.names)}")
        mapped = {name: _mapped_field(field) for name, field in mapping.items()}
        self.fields = [mapped.get(name, _field(name)) for name in self.names]
        self._check()

    def item(self, line: Line) -> Item:
        """The item of a line, for upsert_all. Empty cells are left out. Raises ValidationFailed."""
        if line.problem:
            raise ValidationFailed(line.problem)
        cells: dict[str, str] = {}
        variables: dict[str, str] = {}
        for name, field, cell in zip(self.names, self.fields, line.cells, strict=True):
            if not cell.strip() or field == IGNORED:
                continue
            if field == VARIABLE:
                variables[name] = cell
            elif field == "custom":
                cells[field] = cell
            else:  # of one line; spreadsheets wrap long cells
                cells[field] = _LINE_BREAKS.sub(" ", cell)
        return _item(cells, variables)

    def reason(self, error: CrmError) -> str:
        """Why a line failed, with the column's name in place of the field's."""
        if error.field not in self.fields:
            return error.message
        name = self.names[self.fields.index(error.field)]
        message = error.message.replace(error.field, name)
        return message if name in message else f"{name}: {message}"

    def _check(self) -> None:
        if "email" not in self.fields:
            hint = "name it with --mapping COLUMN=email"
            raise SetupError(f"no column is the e-mail address: {hint}; the columns are: {', '.join(self.names)}")
        names: dict[tuple[str, str], list[str]] = {}
        for name, field in zip(self.names, self.fields, strict=True):
            names.setdefault((field, name if field == VARIABLE else ""), []).append(name)
        for (field, variable), same in names.items():
            if len(same) > 1 and field != IGNORED:
                hint = "leave one out with --mapping COLUMN="
                raise SetupError(f"the columns {' and '.join(same)} are both {variable or field}: {hint}")


def _field(header: str) -> str:
    return _FIELDS.get(_key(header), VARIABLE if header else IGNORED)


def _mapped_field(field: str) -> str:
    if field in (VARIABLE, IGNORED):
        return field
    if found := _FIELDS.get(_key(field)):
        return found
    fields = ", ".join(field for field in HEADERS if field)
    raise SetupError(f"a column can't be {field!r}; it can be {fields}, {VARIABLE}, or nothing")


def _key(header: str) -> str:
    return name_key(header).replace(" ", "")


def _item(cells: dict[str, str], variables: Mapping[str, str]) -> Item:
    names = [cells.pop(name, "") for name in ("first_name", "last_name")]
    item: Item = {"email": "", **cells}
    if any(names):
        item.setdefault("full_name", " ".join(filter(None, names)))
    for name in ("company_id", "owner_id"):
        if name in cells:
            item[name] = _id(cells[name], name)
    if "lifecycle_stage" in cells:
        item["lifecycle_stage"] = _lifecycle_stage(cells["lifecycle_stage"])
    if "custom" in cells or variables:
        item["custom"] = {**_json_object(cells.get("custom", "{}")), **variables}
    return item


def _id(cell: str, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(cell)
    except ValueError:
        raise ValidationFailed(f"{field} is not an id", field=field) from None


def _lifecycle_stage(cell: str) -> LifecycleStage:
    try:
        return LifecycleStage(cell.strip().lower())
    except ValueError:
        raise ValidationFailed(
            f"lifecycle_stage must be one of {', '.join(LifecycleStage)}", field="lifecycle_stage"
        ) from None


def _json_object(cell: str) -> dict[str, object]:
    """A JSON object without its nulls: like empty cells, they change nothing."""
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValidationFailed("custom is not a JSON object", field="custom")
    result: dict[str, object] = merge_patch({}, value)
    return result
