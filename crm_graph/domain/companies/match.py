"""Company match: finds the company that a contact belongs to by its domain, else by its name, or creates it."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import Executable, and_, any_, exists, nulls_first, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, Query, columns_of, combined, param, param_rows, text_list, types_of
from crm_graph.errors import Conflict
from crm_graph.models import Company, table
from crm_graph.values import name_key

ATTEMPTS = 3  # at reading or creating a row that other transactions create at the same time
BEING_CREATED = "another request is creating this company at the moment; retry"


@dataclass(frozen=True, slots=True)
class CompanyHint:
    """What is known of a contact's company: its name, its domain (normal form), both or neither."""

    name: str | None = None
    domain: str | None = None

    @property
    def is_given(self) -> bool:
        return self.name is not None or self.domain is not None

    @property
    def key(self) -> str:
        """The normal form of the name. A name without one (emoji alone) counts as none: then it is the domain's."""
        return name_key(self.name or "") or name_key(self.domain or "")


class CompanyRow(NamedTuple):
    """A company that hints are compared with."""

    id: uuid.UUID
    name: str
    name_key: str
    domain: str | None


async def find_or_create(transaction: Transaction, hint: CompanyHint) -> uuid.UUID | None:
    """The company with the hint's domain, or without one the company of its name; None without either.

    A company known by its domain alone takes the first name that is given. Raises Conflict.
    """
    key = hint.key
    if not key:
        return None
    query = _BY_NAME if hint.domain is None else _BY_DOMAIN
    params = {
        "name": hint.name or hint.domain,
        "name_key": key,
        "domain": hint.domain,
        "new_name": hint.name or None,
    }
    for _ in range(ATTEMPTS):
        # Of two transactions that create the same company, the second waits for the first one's INSERT, inserts
        # nothing, and finds that row in its next attempt.
        company = await query.one(transaction, id=uuid.uuid4(), **params)
        if company is not None:
            return company.id
    raise Conflict(BEING_CREATED, field="company_name")


async def find_or_create_all(transaction: Transaction, hints: Sequence[CompanyHint]) -> list[uuid.UUID | None]:
    """What `find_or_create` returns for each hint in turn, in two statements: one reads, one creates and names."""
    usable = [hint for hint in hints if hint.key]
    domains = [hint.domain for hint in usable if hint.domain is not None]
    keys = [hint.key for hint in usable if hint.domain is None]
    for _ in range(ATTEMPTS):
        directory = _Directory(await _MATCHING.rows(transaction, domains=domains, keys=keys) if usable else [])
        ids = [directory.find_or_create(hint) if hint.key else None for hint in hints]
        if not directory.created and not directory.renamed:
            return ids
        created = [asdict(company) for company in directory.created]
        renamed = [asdict(company) for company in directory.renamed.values()]
        if len(await _CREATE_AND_RENAME.rows(transaction, created=created, renamed=renamed)) == len(created):
            return ids
    raise Conflict(BEING_CREATED, field="company_name")


@dataclass(slots=True)
class _Listed:
    """A company of the directory."""

    id: uuid.UUID
    name: str
    name_key: str
    domain: str | None


class _Directory:
    """The companies as they change while hints are matched one after the other."""

    def __init__(self, known: Iterable[CompanyRow]) -> None:
        self.created: list[_Listed] = []
        self.renamed: dict[uuid.UUID, _Listed] = {}
        self._by_domain: dict[str, _Listed] = {}
        self._by_key: defaultdict[str, list[_Listed]] = defaultdict(list)
        for row in known:
            self._add(_Listed(*row))

    def find_or_create(self, hint: CompanyHint) -> uuid.UUID:
        """The id of the company that the function of this name would return."""
        if hint.domain is not None:
            company = self._by_domain.get(hint.domain)
        else:
            company = min(self._by_key[hint.key], key=lambda one: one.domain or "", default=None)
        if company is None:
            company = _Listed(uuid.uuid4(), hint.name or hint.domain or "", hint.key, hint.domain)
            self.created.append(company)
            self._add(company)
        elif hint.domain is not None and hint.name and company.name == company.domain:
            self._rename(company, hint.name, hint.key)
        return company.id

    def _add(self, company: _Listed) -> None:
        self._by_key[company.name_key].append(company)
        if company.domain is not None:
            self._by_domain[company.domain] = company

    def _rename(self, company: _Listed, name: str, key: str) -> None:
        self._by_key[company.name_key].remove(company)
        company.name, company.name_key = name, key
        self._by_key[key].append(company)
        self.renamed[company.id] = company


def _find_or_create(*, by_domain: bool) -> Executable:
    companies, c = table(Company), table(Company).c
    is_match = c.domain == param(Company, "domain") if by_domain else c.name_key == param(Company, "name_key")
    known = select(c.id).where(is_match).order_by(nulls_first(c.domain), c.created_at).limit(1).cte("known")
    row = {name: param(Company, name) for name in CompanyRow._fields}
    new = select(*row.values()).where(~exists(select(known.c.id)))
    insertion = insert(companies).from_select(list(row), new, include_defaults=False)
    created = insertion.on_conflict_do_nothing().returning(c.id).cte("created")
    either = select(union_all(select(known.c.id), select(created.c.id)).subquery("either").c.id)
    if not by_domain:
        return either
    new_name = param(Company, "name", "new_name")
    rename = update(companies).where(is_match, c.name == c.domain, new_name.is_not(None))
    return either.add_cte(rename.values(name=new_name, name_key=param(Company, "name_key")).cte("renamed"))


_BY_DOMAIN = Query(IdRow, lambda: _find_or_create(by_domain=True))
_BY_NAME = Query(IdRow, lambda: _find_or_create(by_domain=False))


def _matching() -> Executable:
    c = table(Company).c
    is_match = or_(c.domain == any_(text_list("domains")), c.name_key == any_(text_list("keys")))
    return select(*columns_of(CompanyRow, table(Company))).where(is_match)


def _create_and_rename() -> Executable:
    companies, c = table(Company), table(Company).c
    types = types_of(Company, *CompanyRow._fields)
    new, old = param_rows("created", types), param_rows("renamed", types)
    # In one order: of two calls that create the same companies, one waits for the other.
    rows = select(*(new.c[name] for name in CompanyRow._fields)).order_by(new.c.domain, new.c.name_key)
    insertion = insert(companies).from_select(CompanyRow._fields, rows, include_defaults=False)
    inserted = insertion.on_conflict_do_nothing().returning(c.id).cte("inserted")
    is_unnamed = and_(c.id == old.c.id, c.name == c.domain)
    rename = update(companies).where(is_unnamed).values(name=old.c.name, name_key=old.c.name_key)
    return combined(rename, beside=select(inserted.c.id))


_MATCHING = Query(CompanyRow, _matching)
_CREATE_AND_RENAME = Query(IdRow, _create_and_rename)
