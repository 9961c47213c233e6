"""Employers: which company a contact belongs to, found by its domain, else by its name, or made."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, any_, exists, nulls_first, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param, param_rows, text_list, types_of
from crm_graph.errors import Conflict
from crm_graph.models import Company, table
from crm_graph.values import name_key

ATTEMPTS = 3  # to find what somebody else makes at the same moment
BEING_CREATED = "this company is being created by somebody else at this moment; retry"


@dataclass(frozen=True, slots=True)
class Named:
    """A company as somebody speaks of it: by its name, its domain (normal form), both or neither."""

    name: str | None = None
    domain: str | None = None

    @property
    def is_given(self) -> bool:
        return self.name is not None or self.domain is not None

    @property
    def key(self) -> str:
        """The normal form of its name; one of emoji alone has none, and goes by its domain."""
        return name_key(self.name or "") or name_key(self.domain or "")


async def find_or_create(transaction: Transaction, *, name: str | None, domain: str | None) -> uuid.UUID | None:
    """The company with this domain (normal form), or without one the company of this name; None without either.

    A company that was only known by its domain takes the first name that comes along.
    """
    key = Named(name, domain).key
    if not key:
        return None
    statement = _BY_NAME if domain is None else _BY_DOMAIN
    values = {"name": name or domain, "name_key": key, "domain": domain, "said": name or None}
    for _ in range(ATTEMPTS):
        # Of two first events of one company, the second waits for the first's insert, and finds its row next time.
        found = await statement.one(transaction, id=uuid.uuid4(), **values)
        if found is not None:
            id_: uuid.UUID = found.id
            return id_
    raise Conflict(BEING_CREATED, field="company_name")


async def find_or_create_all(transaction: Transaction, wanted: Sequence[Named]) -> list[uuid.UUID | None]:
    """What `find_or_create` returns for each in turn, in two statements: one reads, one makes and names."""
    param = [one for one in wanted if one.key]
    domains = [one.domain for one in param if one.domain is not None]
    keys = [one.key for one in param if one.domain is None]
    for _ in range(ATTEMPTS):
        directory = _Directory(await _KNOWN.rows(transaction, domains=domains, keys=keys) if param else [])
        ids = [directory.find_or_create(one) if one.key else None for one in wanted]
        if not directory.made and not directory.named:
            return ids
        made, named = (list(map(asdict, listed)) for listed in (directory.made, directory.named.values()))
        if len(await _CHANGE.rows(transaction, made=made, named=named)) == len(made):
            return ids
    raise Conflict(BEING_CREATED, field="company_name")


@dataclass(slots=True)
class _Listed:
    id: uuid.UUID
    name: str
    name_key: str
    domain: str | None


class _Directory:
    """The companies as they are while one after the other is looked for, made and named."""

    def __init__(self, known: Iterable[Any]) -> None:
        self.made: list[_Listed] = []
        self.named: dict[uuid.UUID, _Listed] = {}
        self._by_domain: dict[str, _Listed] = {}
        self._by_key: defaultdict[str, list[_Listed]] = defaultdict(list)
        for row in known:
            self._add(_Listed(row.id, row.name, row.name_key, row.domain))

    def find_or_create(self, wanted: Named) -> uuid.UUID:
        """The id of what `wanted` means, as `find_or_create` has it."""
        if wanted.domain is not None:
            found = self._by_domain.get(wanted.domain)
        else:
            found = min(self._by_key[wanted.key], key=lambda company: company.domain or "", default=None)
        if found is None:
            found = _Listed(uuid.uuid4(), wanted.name or wanted.domain or "", wanted.key, wanted.domain)
            self.made.append(found)
            self._add(found)
        elif wanted.domain is not None and wanted.name and found.name == found.domain:
            self._by_key[found.name_key].remove(found)
            found.name, found.name_key = wanted.name, wanted.key
            self._by_key[found.name_key].append(found)
            self.named[found.id] = found
        return found.id

    def _add(self, company: _Listed) -> None:
        self._by_key[company.name_key].append(company)
        if company.domain is not None:
            self._by_domain[company.domain] = company


def _found_or_created(*, by_domain: bool) -> Any:
    companies, c = table(Company), table(Company).c
    is_it = c.domain == param(Company, "domain") if by_domain else c.name_key == param(Company, "name_key")
    known = select(c.id).where(is_it).order_by(nulls_first(c.domain), c.created_at).limit(1).cte("known")
    row = {name: param(Company, name) for name in ("id", "name", "name_key", "domain")}
    new = select(*row.values()).where(~exists(select(known.c.id)))
    insertion = insert(companies).from_select(list(row), new, include_defaults=False)
    made = insertion.on_conflict_do_nothing().returning(c.id).cte("made")
    found = select(union_all(select(known.c.id), select(made.c.id)).subquery("found").c.id)
    if not by_domain:
        return found
    said = param(Company, "name", "said")
    named = update(companies).where(is_it, c.name == c.domain, said.is_not(None))
    return found.add_cte(named.values(name=said, name_key=param(Company, "name_key")).cte("named"))


_BY_DOMAIN = Statement(lambda: _found_or_created(by_domain=True))
_BY_NAME = Statement(lambda: _found_or_created(by_domain=False))


def _known() -> Any:
    c = table(Company).c
    is_meant = or_(c.domain == any_(text_list("domains")), c.name_key == any_(text_list("keys")))
    return select(c.id, c.name, c.name_key, c.domain).where(is_meant)


def _changed() -> Any:
    companies, c = table(Company), table(Company).c
    new, old = (param_rows(name, types_of(Company, "id", "name", "name_key", "domain")) for name in ("made", "named"))
    # In one order, so that of two calls that make the same companies, one waits for the other.
    rows = select(new.c.id, new.c.name, new.c.name_key, new.c.domain).order_by(new.c.domain, new.c.name_key)
    insertion = insert(companies).from_select(["id", "name", "name_key", "domain"], rows, include_defaults=False)
    made = insertion.on_conflict_do_nothing().returning(c.id).cte("inserted")
    is_unnamed = and_(c.id == old.c.id, c.name == c.domain)
    named = update(companies).where(is_unnamed).values(name=old.c.name, name_key=old.c.name_key)
    return combined(named, beside=select(made.c.id))


_KNOWN = Statement(_known)
_CHANGE = Statement(_changed)
