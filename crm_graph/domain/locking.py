"""Row locks: read one row under the owner rule and keep everybody else from changing it until the transaction ends."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeAlias, cast

from sqlalchemy import CTE, ColumnElement, Executable, and_, select, true
from sqlmodel import SQLModel

from crm_graph.database.statements import Query, Row, columns_of, param
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, VersionConflict
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Role, table

OwnerRule: TypeAlias = Callable[[type[SQLModel], Principal], ColumnElement[bool]]
Read: TypeAlias = Callable[[CTE], Executable]


class Versioned(Protocol):
    """A row that counts its edits."""

    @property
    def version(self) -> int: ...


class RowLock(Generic[Row]):
    """Locks one row of a model (FOR NO KEY UPDATE) that the caller may change, and reads it as a `row`, in one query.

    `name` is what errors call the row. `rule` is `visible`, or `restorable` for deleted rows; `only` narrows it down.
    `read` selects more than the columns of the locked row itself: it is given that row, and its statement may have
    parameters of its own.
    """

    def __init__(
        self,
        row: type[Row],
        model: type[SQLModel],
        name: str,
        *,
        rule: OwnerRule = visible,
        only: ColumnElement[bool] | None = None,
        read: Read | None = None,
    ) -> None:
        def make(role: Role) -> Executable:
            rows = table(model)
            # PostgreSQL checks the rule again once it has the lock: a row that was given away meanwhile is not found.
            may_change = rule(model, Principal(None, role))
            found = and_(rows.c.id == param(model, "id"), true() if only is None else only, may_change)
            if read is None:
                return select(*columns_of(row, rows)).where(found).with_for_update(key_share=True)
            return read(select(rows).where(found).with_for_update(key_share=True).cte("locked"))

        self._name = name
        self._queries = {role: Query(row, partial(make, role)) for role in Role}

    async def one(
        self, work: UnitOfWork, id_: uuid.UUID, expected_version: int | None = None, **parameters: object
    ) -> Row:
        """The row, locked. Raises Forbidden (a role that only reads), NotFound naming the field, or VersionConflict."""
        row = await self.one_or_none(work, id_, **parameters)
        if row is None:
            raise NotFound(f"{self._name} not found", field=f"{self._name}_id")
        if expected_version is not None:
            check_version(cast(Versioned, row), expected_version)
        return row

    async def one_or_none(self, work: UnitOfWork, id_: uuid.UUID, **parameters: object) -> Row | None:
        """The row, locked; None when the rule does not find it. Raises Forbidden for a role that only reads."""
        work.principal.must_write()
        query = self._queries[work.principal.role]
        return await query.one(work.transaction, caller=work.principal.owner_id, id=id_, **parameters)


def check_version(row: Versioned, expected: int | None) -> None:
    """Raises VersionConflict with the present version when the caller has read another one."""
    if expected is not None and row.version != expected:
        message = f"it now has version {row.version}, not {expected}; read it again, then decide"
        raise VersionConflict(message, field="expected_version", details={"version": row.version})
