"""Companies: shared by the whole team, identified by domain, else by name."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import and_, nulls_first, nulls_last, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain.companies.match import ATTEMPTS, BEING_CREATED, Named
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, LostRace, NotFound, ValidationFailed
from crm_graph.models import Company, table
from crm_graph.values import check_company_domain, check_document, check_text, merge_patch


async def upsert(
    work: UnitOfWork,
    *,
    name: str | None = None,
    domain: str | None = None,
    **values: Any,
) -> tuple[uuid.UUID, bool]:
    """Create the company with this domain, or without one of this name, or change the given columns of the known one.

    A company without a domain takes the one that comes with its name. Found by its name alone, a company keeps its
    spelling. Returns the id, and whether it is new. Raises ValidationFailed or Forbidden naming the field.
    """
    work.principal.must_write()
    if name is None and domain is None:
        raise ValidationFailed("domain or name must say which company it is", field="domain")
    asked = _checked({"name": name, "domain": domain, **values})
    name, domain = asked.pop("name"), asked.pop("domain")
    identity = {"domain": domain, "name_key": _key(name, domain)}
    known = _WITH_NAME if domain is None else _WITH_DOMAIN
    for _ in range(ATTEMPTS):
        company = await known.one(work.transaction, **identity)
        if company is not None:
            said = {} if domain is None else {"domain": domain, "name": name or company.name}
            try:
                await _change(work, company, said | asked)
            except Conflict as error:  # the domain is somebody's since this look: the next one finds that company
                raise LostRace from error
            return company.id, False
        created = await _create(work, identity | {"name": name or domain}, asked)
        if created is not None:
            return created, True
    raise Conflict(BEING_CREATED, field="domain")


async def edit(work: UnitOfWork, *, company_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    """Change columns of a company and leave an entry with the old and new values; `enrichment` is merged (RFC 7396).

    Raises NotFound, ValidationFailed or Forbidden naming the field, and Conflict when the domain, or without one the
    name, is another company's; then nothing was changed.
    """
    work.principal.must_write()
    asked = _checked(changes)
    if "name" in asked and asked["name"] is None:
        raise ValidationFailed("name can't be cleared", field="name")
    company = await _LOCKED.one(work.transaction, id=company_id)
    if company is None:
        raise NotFound("company not found", field="company_id")
    await _change(work, company, asked)
    return company_id


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if they may be stored."""
    for name, value in values.items():
        if isinstance(value, str):
            check_text(value, field=name)
    if values.get("name") is not None and not values["name"].strip():
        raise ValidationFailed("name is empty", field="name")
    if values.get("enrichment") is not None:
        check_document(values["enrichment"], field="enrichment")
    host = {"domain": check_company_domain(values["domain"])} if values.get("domain") is not None else {}
    return {**values, **host}


def _key(name: str | None, domain: str | None) -> str:
    key = Named(name, domain).key
    if not key:
        raise ValidationFailed("name needs a letter or a digit, because no domain is known", field="name")
    return key


async def _create(work: UnitOfWork, identity: Mapping[str, Any], asked: Mapping[str, Any]) -> uuid.UUID | None:
    """A new company with its first entry; None when somebody else makes it at this moment."""
    values: dict[str, Any] = {**{name: asked.get(name) for name in Company.EDITABLE}, **identity}
    values["enrichment_json"] = merge_patch({}, asked.get("enrichment") or {})
    id_ = uuid.uuid4()
    made = await _CREATE.one(
        work.transaction,
        id=id_,
        now=work.now,
        **values,
        **activities.entry_params(work, content="Company created", company_id=id_),
    )
    return id_ if made else None


async def _change(work: UnitOfWork, company: Any, changes: Mapping[str, Any]) -> None:
    """Change columns of a locked company, with an entry that tells what changed."""
    wanted = {name: value for name, value in changes.items() if name != "enrichment"}
    if wanted.get("domain") is not None and company.name == company.domain:
        wanted.setdefault("name", wanted["domain"])  # nobody has named it yet
    changed = activities.differences(company, wanted)
    told = activities.old_and_new(company, changed)
    if "enrichment" in changes:
        patch = changes["enrichment"]
        merged = {} if patch is None else merge_patch(company.enrichment_json, patch)
        changed["enrichment_json"] = check_document(merged, field="enrichment")
        told |= _enriched(company.enrichment_json, merged)
    if not told:
        return
    values = {name: changed.get(name, getattr(company, name)) for name in Company.EDITABLE}
    values["name_key"] = _key(values["name"], values["domain"])
    entry = activities.entry_params(
        work, content="Company changed: " + ", ".join(told), company_id=company.id, meta={"changes": told}
    )
    try:
        await _EDIT.run(work.transaction, id=company.id, now=work.now, **values, **entry)
    except UniqueViolation as error:
        raise _taken(error, changed) from error


def _enriched(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry tells of enrichment: the keys that differ, as the whole of it may be long."""

    def is_changed(key: str) -> bool:
        # As JSON: Python takes 1 and true for equal.
        texts = [json.dumps(side[key], sort_keys=True) if key in side else None for side in (old, new)]
        return texts[0] != texts[1]

    changed = [key for key in {**old, **new} if is_changed(key)]
    sides = {"old": old, "new": new}
    told = {side: {key: kept[key] for key in changed if key in kept} for side, kept in sides.items()}
    return {"enrichment": told} if changed else {}


def _taken(error: UniqueViolation, changed: Mapping[str, Any]) -> Conflict:
    """What another company has that this one should get."""
    if error.diag.constraint_name == "companies_domain_key":
        return Conflict("domain is another company's", field="domain")
    field = "domain" if "domain" in changed else "name"
    return Conflict("another company of this name has no domain either: a domain would tell them apart", field=field)


def _known(*, by_domain: bool) -> Any:
    """The company that an upsert is about, locked: the one with its domain, else one of its name without any; or, as it
    has no domain, one of its name."""
    companies, c = table(Company), table(Company).c
    is_named = c.name_key == param(Company, "name_key")
    is_it = or_(c.domain == param(Company, "domain"), and_(c.domain.is_(None), is_named)) if by_domain else is_named
    order = [nulls_last(c.domain)] if by_domain else [nulls_first(c.domain), c.created_at]
    return select(companies).where(is_it).order_by(*order).limit(1).with_for_update(key_share=True)


def _created() -> Any:
    row = {name: param(Company, name) for name in ("id", *Company.EDITABLE)}
    row |= {name: param(Company, name, "now") for name in ("created_at", "updated_at")}
    new = insert(table(Company)).values(row).on_conflict_do_nothing()
    made = new.returning(table(Company).c.id).cte("made")
    return select(made.c.id).add_cte(activities.insert_entry(for_each=made).cte("told"))


def _edited() -> Any:
    companies = table(Company)
    values = {name: param(Company, name) for name in Company.EDITABLE} | {
        "updated_at": param(Company, "updated_at", "now")
    }
    return combined(
        update(companies).where(companies.c.id == param(Company, "id")).values(values), activities.insert_entry()
    )


_LOCKED = Statement(
    lambda: select(table(Company)).where(table(Company).c.id == param(Company, "id")).with_for_update(key_share=True)
)
_WITH_DOMAIN = Statement(lambda: _known(by_domain=True))
_WITH_NAME = Statement(lambda: _known(by_domain=False))
_CREATE = Statement(_created)
_EDIT = Statement(_edited)
