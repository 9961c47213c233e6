"""Companies: shared by the whole team, identified by domain, else by name."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import Executable, and_, nulls_first, nulls_last, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import IdRow, Query, Statement, columns_of, combined, param
from crm_graph.domain.companies.match import ATTEMPTS, BEING_CREATED, CompanyHint
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, LostRace, ValidationFailed
from crm_graph.json_documents import check_document, check_document_size, merge_patch
from crm_graph.models import Company, table
from crm_graph.values import check_company_domain, check_line


class CompanyRow(NamedTuple):
    """A stored company."""

    id: uuid.UUID
    name: str
    name_key: str
    domain: str | None
    location: str | None
    size: str | None
    industry: str | None
    website: str | None
    linkedin_url: str | None
    enrichment_json: dict[str, object]


async def upsert(
    work: UnitOfWork, *, name: str | None = None, domain: str | None = None, changes: Mapping[str, object]
) -> tuple[uuid.UUID, bool]:
    """Create the company with this domain, or without one of this name, or make the changes to the known one.

    A company without a domain takes the one that comes with its name. A company found by its name alone keeps its
    spelling. Returns the id, and whether the company is new. Raises ValidationFailed, Forbidden or Conflict naming the
    field.
    """
    work.principal.must_write()
    if name is None and domain is None:
        raise ValidationFailed("give a domain or a name to identify the company", field="domain")
    _check_values({"name": name, "domain": domain, **changes})
    domain = None if domain is None else check_company_domain(domain)
    identity = {"domain": domain, "name_key": _name_key(name, domain)}
    lock = _LOCK_BY_NAME if domain is None else _LOCK_BY_DOMAIN
    for _ in range(ATTEMPTS):
        company = await lock.one(work.transaction, **identity)
        if company is not None:
            names = {} if domain is None else {"domain": domain, "name": name or company.name}
            try:
                await _change(work, company, {**names, **changes})
            except Conflict as error:  # another company got the domain since; the next attempt finds that company
                raise LostRace from error
            return company.id, False
        created = await _create(work, {**identity, "name": name or domain}, changes)
        if created is not None:
            return created, True
    raise Conflict(BEING_CREATED, field="domain")


async def edit(work: UnitOfWork, *, company_id: uuid.UUID, changes: Mapping[str, object]) -> uuid.UUID:
    """Change columns of a company, with a timeline entry that has the old and new values; `enrichment` is merged (RFC
    7396).

    Raises NotFound, ValidationFailed or Forbidden naming the field, and Conflict when another company has the domain,
    or without a domain the name; then nothing was changed.
    """
    work.principal.must_write()
    _check_values(changes)
    domain = changes.get("domain")
    if isinstance(domain, str):
        changes = {**changes, "domain": check_company_domain(domain)}
    if "name" in changes and changes["name"] is None:
        raise ValidationFailed("name can't be cleared", field="name")
    await _change(work, await _LOCK.one(work, company_id), changes)
    return company_id


def _check_values(values: Mapping[str, object]) -> None:
    for field, value in values.items():
        if isinstance(value, str):
            check_line(value, field=field)
    name = values.get("name")
    if isinstance(name, str) and not name.strip():
        raise ValidationFailed("name is empty", field="name")
    if values.get("enrichment") is not None:
        check_document(values["enrichment"], field="enrichment")


def _name_key(name: str | None, domain: str | None) -> str:
    key = CompanyHint(name, domain).key
    if not key:
        raise ValidationFailed("name needs a letter or a digit when the company has no domain", field="name")
    return key


async def _create(work: UnitOfWork, identity: Mapping[str, object], values: Mapping[str, object]) -> uuid.UUID | None:
    """Create a company with its first entry; None when another transaction creates it at the same time."""
    id_ = uuid.uuid4()
    columns = {name: values.get(name) for name in Company.EDITABLE} | dict(identity)
    columns["enrichment_json"] = merge_patch({}, values.get("enrichment") or {})
    entry = activities.entry_params(work, content="Company created", company_id=id_)
    created = await _CREATE.one(work.transaction, id=id_, now=work.now, **columns, **entry)
    return created.id if created else None


async def _change(work: UnitOfWork, company: CompanyRow, changes: Mapping[str, Any]) -> None:
    """Change columns of a locked company, with an entry on its timeline; does nothing when none differs."""
    columns = {name: value for name, value in changes.items() if name != "enrichment"}
    if columns.get("domain") is not None and company.name == company.domain:
        columns.setdefault("name", columns["domain"])  # it has no name yet, only the old domain
    changed = activities.differences(company, columns)
    entry_changes: dict[str, object] = {**activities.old_and_new(company, changed)}
    if "enrichment" in changes:
        patch = changes["enrichment"]
        merged = {} if patch is None else merge_patch(company.enrichment_json, patch)
        check_document_size(merged, field="enrichment", stored=company.enrichment_json)
        changed["enrichment_json"] = merged
        entry_changes |= _enrichment_changes(company.enrichment_json, merged)
    if not entry_changes:
        return
    new = company._replace(**changed)
    new = new._replace(name_key=_name_key(new.name, new.domain))
    columns = {name: getattr(new, name) for name in Company.EDITABLE}
    content = "Company changed: " + ", ".join(entry_changes)
    entry = activities.entry_params(work, content=content, company_id=company.id, meta={"changes": entry_changes})
    try:
        await _UPDATE.run(work.transaction, id=company.id, now=work.now, **columns, **entry)
    except UniqueViolation as error:
        raise _conflict(error, changed) from error


def _enrichment_changes(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """What an entry says about enrichment: only the keys that differ, because the whole of it may be long."""

    def is_changed(key: str) -> bool:
        # As JSON: Python takes 1 and true for equal.
        texts = [json.dumps(side[key], sort_keys=True) if key in side else None for side in (old, new)]
        return texts[0] != texts[1]

    changed = [key for key in {**old, **new} if is_changed(key)]
    sides = {"old": old, "new": new}
    differing = {side: {key: values[key] for key in changed if key in values} for side, values in sides.items()}
    return {"enrichment": differing} if changed else {}


def _conflict(error: UniqueViolation, changed: Mapping[str, object]) -> Conflict:
    """The error that names what another company already has."""
    if error.diag.constraint_name == "companies_domain_key":
        return Conflict("another company has this domain", field="domain")
    message = "another company with this name has no domain either; add a domain to tell them apart"
    return Conflict(message, field="domain" if "domain" in changed else "name")


def _lock_known(*, by_domain: bool) -> Executable:
    """The company that an upsert is about, locked.

    With a domain, it is the company that has it, else one of the same name without any domain; without, the company of
    the name, preferably one without a domain.
    """
    companies, c = table(Company), table(Company).c
    is_named = c.name_key == param(Company, "name_key")
    is_match = or_(c.domain == param(Company, "domain"), and_(c.domain.is_(None), is_named)) if by_domain else is_named
    order = [nulls_last(c.domain)] if by_domain else [nulls_first(c.domain), c.created_at]
    known = select(*columns_of(CompanyRow, companies)).where(is_match).order_by(*order).limit(1)
    return known.with_for_update(key_share=True)


def _insert_company() -> Executable:
    row = {name: param(Company, name) for name in ("id", *Company.EDITABLE)}
    row |= {name: param(Company, name, "now") for name in ("created_at", "updated_at")}
    insertion = insert(table(Company)).values(row).on_conflict_do_nothing()
    created = insertion.returning(table(Company).c.id).cte("created")
    return select(created.c.id).add_cte(activities.insert_entry(for_each=created).cte("entry"))


def _update_company() -> Executable:
    companies = table(Company)
    values = {name: param(Company, name) for name in Company.EDITABLE}
    values["updated_at"] = param(Company, "updated_at", "now")
    change = update(companies).where(companies.c.id == param(Company, "id")).values(values)
    return combined(change, activities.insert_entry())


_LOCK = RowLock(CompanyRow, Company, "company")
_LOCK_BY_DOMAIN = Query(CompanyRow, lambda: _lock_known(by_domain=True))
_LOCK_BY_NAME = Query(CompanyRow, lambda: _lock_known(by_domain=False))
_CREATE = Query(IdRow, _insert_company)
_UPDATE = Statement(_update_company)
