"""The bytes of an answer are counted while it is built, and for each transaction by itself."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm_graph.database.engine import Database, sqlstate

VALUES = (
    "SELECT count(crm_counted(repeat('é', 50), {most})), count(crm_counted({other}, {most})) FROM generate_series(1, 4)"
)


async def run(database: Database, most: int, other: str) -> None:
    async with database.read() as connection:
        await connection.execute(text(VALUES.format(most=most, other=other)))


@pytest.mark.parametrize(
    ("other", "size"), [("repeat('x', 10)", 440), ("CAST('{\"a\": 1}' AS jsonb)", 432), ("CAST(NULL AS text)", 400)]
)
async def test_values_have_so_many_bytes_together(other: str, size: int, database: Database) -> None:
    await run(database, size, other)
    await run(database, size, other)  # on the same connection: counted from zero

    with pytest.raises(DBAPIError) as refused:
        await run(database, size - 1, other)

    assert sqlstate(refused.value) == "CRM54"


async def test_a_transaction_counts_all_its_statements(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.scalar(text("SELECT crm_counted(repeat('x', 60), 100)"))
        with pytest.raises((DBAPIError, psycopg.Error)):
            await transaction.scalar(text("SELECT crm_counted(repeat('x', 60), 100)"))
