"""What the database refuses from any program, and its constraints and indexes, in raw SQL."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, NumericValueOutOfRange, UniqueViolation
from sqlalchemy.engine import URL

KINDS = {"p": "pkey", "u": "key", "f": "fkey", "c": "check", "n": "not_null", "x": "excl"}
STAGE_OF_DEAL = "deals_pipeline_id_stage_id_status_fkey"
BAD_ADDRESSES = [
    "Max@acme.com",
    "max@ACME.com",
    "max",
    "@acme.com",
    "max@",
    "max@@acme.com",
    "max @acme.com",
    " max@acme.com",
    "max@acme.com\n",
    "max\x07@acme.com",
    "",
]


@pytest.fixture
def connection(admin_url: URL) -> Iterator[psycopg.Connection[Any]]:
    """In a transaction that is never committed."""
    with psycopg.connect(admin_url.set(drivername="postgresql").render_as_string(hide_password=False)) as opened:
        yield opened
        opened.rollback()


def insert_deal(connection: psycopg.Connection[Any], **columns: Any) -> None:
    stage = "SELECT pipeline_id, id FROM pipeline_stages ORDER BY kind = %s DESC, order_index"
    pipeline_id, stage_id = connection.execute(stage, (columns.get("status", "open"),)).fetchone() or (None, None)
    values = {
        "title": "A deal",
        "pipeline_id": pipeline_id,
        "stage_id": stage_id,
        "currency": "USD",
        "status": "open",
        "rank": "a0",
    } | columns
    names, places = ", ".join(values), ", ".join(f"%({name})s" for name in values)
    connection.execute(f"INSERT INTO deals ({names}) VALUES ({places})".encode(), values)


@pytest.mark.parametrize("amount", [None, "0", "0.01", "999999999999.99"])
def test_valid_amounts(connection: psycopg.Connection[Any], amount: str | None) -> None:
    insert_deal(connection, amount=amount)


@pytest.mark.parametrize("amount", ["NaN", "-0.01", "-1"])
def test_invalid_amounts(connection: psycopg.Connection[Any], amount: str) -> None:
    with pytest.raises(CheckViolation, match="deals_amount_check"):
        insert_deal(connection, amount=amount)


@pytest.mark.parametrize("amount", ["Infinity", "-Infinity", "1e12"])
def test_amounts_that_are_too_large(connection: psycopg.Connection[Any], amount: str) -> None:
    with pytest.raises(NumericValueOutOfRange):
        insert_deal(connection, amount=amount)


@pytest.mark.parametrize("currency", ["usd", "US", "U1D", "", "€€€"])
def test_currencies_in_another_form(connection: psycopg.Connection[Any], currency: str) -> None:
    with pytest.raises(CheckViolation, match="deals_currency_check"):
        insert_deal(connection, currency=currency)


def test_only_a_lost_deal_has_a_reason(connection: psycopg.Connection[Any]) -> None:
    insert_deal(connection, status="lost", lost_reason="price")
    with pytest.raises(CheckViolation, match="deals_lost_reason_check"):
        insert_deal(connection, status="won", lost_reason="price")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("INSERT INTO owners (name, email, role) VALUES ('A', 'a@b.c', 'boss')", "owners_role_check"),
        ("INSERT INTO contacts (email, reply_status) VALUES ('a@b.c', 'maybe')", "contacts_replystatus_check"),
        ("INSERT INTO contacts (email, owner_source) VALUES ('a@b.c', 'luck')", "contacts_ownersource_check"),
        ("INSERT INTO contacts (email, lifecycle_stage) VALUES ('a@b.c', 'x')", "contacts_lifecyclestage_check"),
        ("INSERT INTO activities (type, content, occurred_at) VALUES ('fax', '', now())", "activities_"),
        ("INSERT INTO activities (type, content, occurred_at) VALUES ('note', '', now())", "activities_subject_check"),
        ("UPDATE pipeline_stages SET key = 'Not A Key'", "pipeline_stages_key_form_check"),
        ("UPDATE pipeline_stages SET probability = 1.001", "pipeline_stages_probability_check"),
        ("UPDATE pipeline_stages SET probability = 'NaN'", "pipeline_stages_probability_check"),
        ("UPDATE pipeline_stages SET kind = 'paused'", "pipeline_stages_stagekind_check"),
        ("INSERT INTO companies (name, name_key, domain) VALUES ('A', 'a', 'Acme.com')", "companies_domain_lower_case"),
    ],
)
def test_values_outside_a_closed_set(connection: psycopg.Connection[Any], statement: str, constraint: str) -> None:
    with pytest.raises(CheckViolation, match=constraint):
        connection.execute(statement.encode())


def test_a_deal_and_an_event_in_an_unknown_state(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(CheckViolation, match="deals_dealstatus_check"), connection.transaction():
        insert_deal(connection, status="paused")
    with pytest.raises(CheckViolation, match="webhooks_log_webhookstatus_check"):
        connection.execute(
            "INSERT INTO webhooks_log (source, event_type, dedupe_key, body, status, received_at) "
            "VALUES ('calcom', 'PING', 'k', '', 'lost', now())"
        )


@pytest.mark.parametrize("address", BAD_ADDRESSES)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO contacts (email) VALUES (%s)",
        "INSERT INTO owners (name, email, role) VALUES ('A', %s, 'sales')",
        "INSERT INTO owner_mailboxes (email, owner_id) VALUES (%s, gen_random_uuid())",
        "INSERT INTO contact_emails (email, contact_id) VALUES (%s, gen_random_uuid())",
    ],
)
def test_addresses_in_another_form(connection: psycopg.Connection[Any], statement: str, address: str) -> None:
    with pytest.raises(CheckViolation, match="_email_normal_form_check"):
        connection.execute(statement.encode(), (address,))


def test_addresses_differ_by_every_byte(connection: psycopg.Connection[Any]) -> None:
    for address in ("info@acme.com", "ınfo@acme.com", "ｉnfo@acme.com"):
        connection.execute("INSERT INTO contacts (email) VALUES (%s)", (address,))
    with pytest.raises(UniqueViolation, match="contacts_email_key"):
        connection.execute("INSERT INTO contacts (email) VALUES ('info@acme.com')")


def test_a_stage_of_another_pipeline(connection: psycopg.Connection[Any]) -> None:
    other = uuid.uuid4()
    connection.execute("INSERT INTO pipelines (id, name) VALUES (%s, 'Partners')", (other,))
    with pytest.raises(ForeignKeyViolation, match=STAGE_OF_DEAL):
        insert_deal(connection, pipeline_id=other)


@pytest.mark.parametrize("change", ["deleted_at = now()", "kind = 'won'"])
def test_a_stage_that_deals_are_in(connection: psycopg.Connection[Any], change: str) -> None:
    insert_deal(connection)
    with pytest.raises(ForeignKeyViolation, match=STAGE_OF_DEAL):
        connection.execute(f"UPDATE pipeline_stages SET {change} WHERE key = 'new'".encode())


@pytest.mark.parametrize("change", ["deleted_at = now()", "kind = 'won'"])
def test_a_stage_that_no_deal_with_this_status_can_be_in(connection: psycopg.Connection[Any], change: str) -> None:
    connection.execute(f"UPDATE pipeline_stages SET {change} WHERE key = 'new'".encode())
    new = connection.execute("SELECT id FROM pipeline_stages WHERE key = 'new'").fetchone()
    with pytest.raises(ForeignKeyViolation, match=STAGE_OF_DEAL):
        insert_deal(connection, stage_id=new and new[0])


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [("pipelines", "name", "'Partners'"), ("owners", "name, role, email", "'B', 'sales', 'b@b.c'")],
)
def test_only_one_default(connection: psycopg.Connection[Any], table: str, columns: str, values: str) -> None:
    connection.execute("INSERT INTO owners (name, role, email, is_default) VALUES ('A', 'sales', 'a@b.c', true)")
    with pytest.raises(UniqueViolation, match=f"{table}_one_default_idx"):
        connection.execute(f"INSERT INTO {table} ({columns}, is_default) VALUES ({values}, true)".encode())


def test_every_foreign_key_leads_an_index(connection: psycopg.Connection[Any]) -> None:
    query = r"""
        SELECT conname FROM pg_constraint fk
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index
            JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
            WHERE indrelid = conrelid AND indisvalid
              AND coalesce(btrim(pg_get_expr(indpred, indrelid), '()'), attname || ' IS NOT NULL')
                  = attname || ' IS NOT NULL'
              AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
        )
    """
    assert {name for (name,) in connection.execute(query)} == set()


def test_every_constraint_is_named_by_the_convention(connection: psycopg.Connection[Any]) -> None:
    query = """
        SELECT conname, contype::text, relname, array(
            SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place
        )
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        WHERE connamespace = 'public'::regnamespace AND contype <> 't' AND relname <> 'alembic_version'
    """
    for name, kind, table, columns in connection.execute(query):
        middle = {"p": "", "c": "[a-z_]+_", "x": "[a-z_]+_"}.get(kind, "_".join(columns) + "_")
        assert re.fullmatch(f"{table}_{middle}{KINDS[kind]}", name)


def test_every_index_is_named_by_the_convention(connection: psycopg.Connection[Any]) -> None:
    query = """
        SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    """
    for name, table in connection.execute(query):
        assert re.fullmatch(f"{table}_[a-z_]+_idx", name)
