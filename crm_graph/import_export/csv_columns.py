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
VARIABLE, IGNORED, OPTED_OUT = "variable", "", "opted out"  # what a column can be besides a field of a contact
# The headers of each field, without case, accents, spaces and underscores.
HEADERS = {
    "email": (
        "email emailaddress mail eposta epostaadresi emailadresse email1value emailaddress1 emails workemail "
        "primaryemail businessemail contactemail correoelectronico correo courriel adresseemail "
        "adressedemessagerie indirizzoemail posta epostaadres"
    ),
    "full_name": ("fullname name contactname adsoyad displayname anzeigename nombrecompleto nomcomplet nomecompleto"),
    "first_name": "firstname givenname ad adi vorname prenom nombre voornaam nome primeironome",
    "last_name": (
        "lastname surname familyname soyad soyadi nachname nom apellido apellidos achternaam cognome sobrenome apelido"
    ),
    "title": (
        "title jobtitle position unvan unvani titel funktion berufsbezeichnung fonction cargo puesto functie "
        "functietitel organization1title organizationtitle poste qualifica"
    ),
    "phone": (
        "phone phonenumber mobile mobilephone mobilephonenumber telephone tel telefon telefonnummer telefonnr "
        "phone1value businessphone primaryphone istelefonu ceptelefonu cep mobiltelefon telefongeschaftlich "
        "rufnummer telefono telefoon telefoonnummer telefone celular mobil workphone corporatephone"
    ),
    "website": "website web websiteurl webseite websitesi sitioweb siteweb sitoweb",
    "linkedin_url": "linkedinurl linkedin linkedinprofile personlinkedinurl linkedinbio",
    "company_name": (
        "companyname company organisation organization account accountname sirket sirketadi firma firmenname "
        "unternehmen organization1name organizationname associatedcompany entreprise societe empresa azienda "
        "bedrijf bedrijfsnaam companynameforemails"
    ),
    "company_id": "companyid",
    "owner_id": "ownerid",
    "lifecycle_stage": "lifecyclestage",
    "custom": "custom",
    # Columns of people who must not be written to: their lines are refused.
    OPTED_OUT: (
        "donotcontact donotemail donotmail dnc optout optedout optedoutat emailoptout hasoptedoutofemail "
        "unsubscribed unsubscribedat unsubscribe unsubscribedfromallemail unsubscribedfromalle abgemeldet "
        "emailabgemeldet abmeldung desabonne desinscrit dadodebaja uitgeschreven disiscritto"
    ),
    # Other columns of an export, which can't be set.
    IGNORED: (
        "id owneremail ownersource replystatus replysummary replystatussource replystatusat needsreview "
        "ooountil donotcontactat donotcontactreason latestemailsentat version createdat updatedat"
    ),
}
# What people write where there is nothing.
_NOTHING = frozenset(
    {"", "na", "none", "null", "nil", "unknown", "ka", "keine", "yok", "sansobjet", "aucune", "ninguna", "geen"}
)
_NO = frozenset(
    {"", "0", "false", "no", "n", "nein", "hayir", "non", "nee", "nao", "never", "subscribed", "null", "none", "na"}
)
_SHORTENED = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)  # what a spreadsheet makes of a long number
_APOSTROPHE = re.compile(r"\A\s*'(?=[+(\d])")  # the same, typed by hand
_AS_TEXT = re.compile(r'="(?P<text>[^"]*)"\Z')  # ="0049..." keeps a spreadsheet from making a number of it
_MAILTO = re.compile(r"\A\s*mailto:", re.IGNORECASE)
_LINE_BREAKS = re.compile(r"[\t\r\n]+")
_FIELDS = {header: field for field, headers in HEADERS.items() for header in headers.split()}


class Columns:
    """The columns of a file: fields of a contact, lead variables, or ignored."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        """`mapping` overrides what columns are, by their names or numbers: a header of the field, VARIABLE or IGNORED.

        Of several columns that mean the same, the first is the field, and the others are variables. Raises SetupError.
        """
        self.names = [" ".join(name.split()) for name in header]
        numbers = {str(number) for number in range(1, len(self.names) + 1)}
        if unknown := mapping.keys() - set(self.names) - numbers:
            raise SetupError(f"there is no column {min(unknown)!r}; the columns are: {', '.join(self.names)}")
        mapped = {name: _mapped_field(field) for name, field in mapping.items()}
        self.fields: list[str] = []
        for number, name in enumerate(self.names, 1):
            chosen = mapped.get(name, mapped.get(str(number)))
            found = _field(name) if chosen is None else chosen
            repeats = chosen is None and found in self.fields and name not in self.names[: number - 1]
            self.fields.append(VARIABLE if repeats and found not in (IGNORED, OPTED_OUT) else found)
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
            elif field == OPTED_OUT:
                _refuse_opted_out(name, cell)
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
            if len(same) > 1 and field not in (IGNORED, OPTED_OUT):
                number = len(self.names) - self.names[::-1].index(same[-1])
                hint = f"leave one out with --mapping {number}="
                raise SetupError(f"the columns {' and '.join(same)} are both {variable or field}: {hint}")


def _field(header: str) -> str:
    return _FIELDS.get(_key(header), VARIABLE if header else IGNORED)


def _mapped_field(field: str) -> str:
    if field in (VARIABLE, IGNORED):
        return field
    if found := _FIELDS.get(_key(field)):
        return found
    fields = ", ".join(field for field in HEADERS if field not in (IGNORED, OPTED_OUT))
    raise SetupError(f"a column can't be {field!r}; it can be {fields}, {VARIABLE}, or nothing")


def _key(header: str) -> str:
    return name_key(header).replace(" ", "")


def _refuse_opted_out(name: str, cell: str) -> None:
    if _key(cell) not in _NO:
        raise ValidationFailed(
            f"{name} is {cell.strip()[:40]!r}: this person asked not to be written to, and is not imported; leave the "
            f"column out with --mapping '{name}=' to import them all the same"
        )


def _read_phone(cell: str) -> str:
    """A telephone number without what a spreadsheet put around it. Raises ValidationFailed when it lost digits."""
    phone = _APOSTROPHE.sub("", cell)
    if _SHORTENED.fullmatch(phone.strip()):
        raise ValidationFailed(
            f"phone {phone} was shortened by a spreadsheet, and its last digits are lost: correct it", field="phone"
        )
    return phone


def _item(cells: dict[str, str], variables: Mapping[str, str]) -> Item:
    cells = {name: found["text"] if (found := _AS_TEXT.match(cell.strip())) else cell for name, cell in cells.items()}
    if "phone" in cells:
        cells["phone"] = _read_phone(cells["phone"])
    if "email" in cells:
        cells["email"] = _MAILTO.sub("", cells["email"])
    if _key(cells.get("company_name", "x")) in _NOTHING:
        del cells["company_name"]
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
