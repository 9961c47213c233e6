"""Addresses of a contact: its primary one, and the further ones that lead to it too."""

import uuid
from typing import NamedTuple

import psycopg
from sqlalchemy import Executable, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import Query, Statement, combined, param
from crm_graph.domain.contacts.records import is_suppressed
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, LostRace, ValidationFailed
from crm_graph.models import Contact, ContactEmail, table
from crm_graph.values import normal_email

TAKEN = "another contact has this address: mergeContacts, if both are one person"


class _Found(NamedTuple):
    is_suppressed: bool
    is_taken: bool
    tombstone_id: uuid.UUID | None


def check_email(value: object) -> str:
    """The normal form of a new primary address. Raises ValidationFailed."""
    if not isinstance(value, str):
        raise ValidationFailed("email can't be cleared: a contact is known by it", field="email")
    return normal_email(value)


async def make_primary(work: UnitOfWork, contact: ContactRow, address: str) -> None:
    """Make an address, one of the locked contact's others or a new one, its primary one; the old one still leads to it.

    Raises Conflict when somebody else has the address, visible to the caller or not, or was erased with it.
    """
    found = await _LOOK_UP.one(work.transaction, id=contact.id, address=address)
    assert found is not None, "a look-up is one row"
    if found.is_suppressed:
        raise Conflict("the person with this e-mail was erased and must not be stored again", field="email")
    if found.is_taken:
        raise Conflict(TAKEN, field="email")
    if found.tombstone_id is not None:
        # The contact that was merged with this address keeps its row, and takes another one: they are unique.
        await _FREE.run(work.transaction, id=found.tombstone_id)
    try:
        await _SWAP.run(work.transaction, id=contact.id, old=contact.email, new=address)
    except psycopg.errors.UniqueViolation as error:  # taken since the look-up: the next attempt says so
        raise LostRace from error


def _look_up() -> Executable:
    people, aliases = table(Contact), table(ContactEmail)
    id_, address = param(Contact, "id"), param(Contact, "email", "address")
    has_it = people.c.email == address
    is_own_tombstone = people.c.merged_into_id == id_
    others = select(1).where(has_it, people.c.id != id_, people.c.merged_into_id.is_distinct_from(id_))
    aliased = select(1).where(aliases.c.email == address, aliases.c.contact_id != id_)
    tombstone = select(people.c.id).where(has_it, is_own_tombstone).scalar_subquery()
    return select(
        is_suppressed(address).label("is_suppressed"),
        or_(exists(others), exists(aliased)).label("is_taken"),
        tombstone.label("tombstone_id"),
    )


def _free() -> Executable:
    people = table(Contact)
    placeholder = func.concat("merged-", people.c.id, "@crm-graph.invalid")
    return update(people).where(people.c.id == param(Contact, "id")).values(email=placeholder)


def _swap() -> Executable:
    people, aliases = table(Contact), table(ContactEmail)
    id_, new = param(Contact, "id"), param(Contact, "email", "new")
    old = insert(aliases).values(email=param(Contact, "email", "old"), contact_id=id_)
    return combined(
        delete(aliases).where(aliases.c.email == new, aliases.c.contact_id == id_),
        old.on_conflict_do_nothing(),
        update(people).where(people.c.id == id_).values(email=new),
    )


_LOOK_UP = Query(_Found, _look_up)
_FREE = Statement(_free)
_SWAP = Statement(_swap)
