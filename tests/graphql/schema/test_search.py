"""Full-text search: the normal form of texts, what a search finds, in which order, and by which index."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import sql as q
from psycopg.errors import WrongObjectType
from sqlalchemy import FromClause, literal, literal_column, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph.database import migrations
from crm_graph.graphql.schema import search
from crm_graph.models import Company, Contact, Deal, Named, table
from tests.support.database import scratch_database
from tests.support.factories import add, stages

FOLDED = [
    ("İSTANBUL ISPARTA ısırgan Iğdır", "istanbul isparta isirgan igdir"),
    ("Çağrı Şükrü GÖKÇE", "cagri sukru gokce"),
    ("C\u0327ag\u0306ri", "cagri"),
    ("Straße STRASSE GROẞE Müller", "strasse strasse grosse muller"),
    ("Łódź Wałęsa ŚWIĄTEK", "lodz walesa swiatek"),
    ("Øresund Æblegrød Þór Ðór Œuvre Đorđe Ħal Ŧ", "oresund aeblegrod thor dor oeuvre dorde hal t"),
    ("ΣΊΣΥΦΟΣ Οδυσσεύς", "σισυφοσ οδυσσευσ"),
    ("МОСКВА Йод ЁЖ Київ ҐАНОК Ђорђе", "москва иод еж киів ґанок ђорђе"),
    ("שָׁלוֹם مُحَمَّد", "שלום محمد"),
    ("O'Brien O’Brien", "o brien o brien"),
    ("<Ada.B-c_d@ACME.io>", "ada b c d acme io"),
    (r"!\"#$%&'()*+,-./:;<=>?@[\]^_`{|}~", ""),
    ("100€ 5%—off… «now» 🚀Launch™", "100 5 off now launchtm"),
    ("ﬁﬂ Ⅻ ½ Ｆｕｌｌ", "fifl xii 1 2 full"),
    ("ad\u00adhoc ad\u200bhoc \ufeffx", "adhoc adhoc x"),
    (" \t\u00a0two\n\nlines\u3000", "two lines"),
    ("株式会社 々〇", "株式会社 々〇"),
    ("", ""),
]
FOUND = [
    ("İSTANBUL Çağrı", "istanbul cagri"),
    ("Istanbul", "ıstanbul"),
    ("ISPARTA", "ısparta"),
    ("Straße", "STRASSE"),
    ("Strasse", "straße"),
    ("O'Brien <a.b@acme.io>", "o'brien"),
    ("O'Brien <a.b@acme.io>", "brien acme"),
    ("O'Brien <a.b@acme.io>", "a.b@acme.io"),
    ("O'Brien <a.b@acme.io>", "@acme"),
    ("O'Brien <a.b@acme.io>", "acme.i"),
    ("Łódź", "lod"),
    ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
    ("МОСКВА", "моск"),
    ("Acme renewal 2026", "202 ren ac"),
    ("Acme renewal 2026", "Acme, Acme: ACME!"),
    ("5% off", "5%"),
    ("snake_case", "case"),
    ("1e5x 12ab 0x1F 3rd 007", "1e5 12a 0x1 3 00"),
]
NOT_FOUND = [
    ("Acme renewal", "renewal globex"),
    ("Acme renewal", "cme"),
    ("5 off", "%"),
    ("anything", "_"),
    ("anything", ""),
    ("anything", "\u0301\u200b"),
    ("abc", "a | z"),
]
# What to_tsquery would read as operators, quotes and weights, or refuse.
HOSTILE = [
    "'",
    "''",
    "\\",
    "\\'",
    "!",
    "& |",
    "<->",
    "a <-> b",
    "a:*",
    ":*",
    "a:B*",
    "(a",
    "!a & b",
    "' OR 1=1 --",
    "$$",
]
HOSTILE += ["'!&|:*()<->\\" * 900, "a" * 10_000, "a " * 5_000, "я" * 10_000, "e\u0301" * 5_000, "\u0301\u0323" * 5_000]
HOSTILE += ["ﷺ" * 10_000, "한" * 10_000, "\U0010ffff" * 2_500, "\ufffe\uffff", "'\\" * 5_000, ".'." * 3_000]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
MODELS = [Deal, Contact, Company]
Connection = psycopg.Connection[Any]


@contextmanager
def opened(url: URL, role: str = "none") -> Iterator[Connection]:
    """A connection in autocommit on which a NOTICE is a failure."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    notices: list[str | None] = []
    with psycopg.connect(dsn, autocommit=True, options=f"-c role={role}") as connection:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        yield connection
    assert notices == []


@pytest.fixture(scope="module")
def postgres(admin_url: URL) -> Iterator[Connection]:
    with opened(admin_url) as connection:
        yield connection


def fold(postgres: Connection, text: str) -> Any:
    return postgres.execute("SELECT crm_fold(%s)", (text,)).fetchone()[0]  # type: ignore[index]


def found(postgres: Connection, stored: str, sought: str) -> Any:
    query = "SELECT to_tsvector('simple', crm_fold(%s)) @@ crm_query(%s)"
    return postgres.execute(query, (stored, sought)).fetchone()[0]  # type: ignore[index]


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_normal_form(postgres: Connection, text: str, folded: str) -> None:
    assert fold(postgres, text) == folded


@given(texts)
@example("İ")
@example("Ⅻ")
def test_a_normal_form_is_its_own(postgres: Connection, text: str) -> None:
    folded = fold(postgres, text)
    assert fold(postgres, folded) == folded
    assert not set(folded) & set(r"!\"#$%&'()*+,-./:;<=>?@[\]^_`{|}~ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "\t\r\n")


@given(st.text(st.characters(max_codepoint=127, exclude_characters="\0")))
def test_the_short_cut_for_ascii_does_not_change_the_result(postgres: Connection, text: str) -> None:
    assert fold(postgres, f"{text} é") == f"{fold(postgres, text)} e".strip()


def test_null_has_no_normal_form_and_finds_nothing(postgres: Connection) -> None:
    query = "SELECT crm_fold(NULL), to_tsvector('simple', 'a') @@ crm_query(NULL)"
    assert postgres.execute(query).fetchone() == (None, False)


@pytest.mark.parametrize(("stored", "sought"), FOUND)
def test_found(postgres: Connection, stored: str, sought: str) -> None:
    assert found(postgres, stored, sought) is True


@pytest.mark.parametrize(("stored", "sought"), NOT_FOUND)
def test_not_found(postgres: Connection, stored: str, sought: str) -> None:
    assert found(postgres, stored, sought) is False


@given(texts, st.randoms(use_true_random=False))
def test_beginnings_of_words_find_a_text_in_any_order(postgres: Connection, text: str, random: Any) -> None:
    words = fold(postgres, text).split(" ")[:8]
    random.shuffle(words)
    assert found(postgres, text, " ".join(word[: random.randint(1, 64)] for word in words)) is (words != [""])


@given(texts)
def test_any_text_makes_a_search(postgres: Connection, text: str) -> None:
    found(postgres, "a text", text)
    found(postgres, text[:100], text)


@pytest.mark.parametrize("sought", HOSTILE)
def test_hostile_searches(postgres: Connection, sought: str) -> None:
    assert found(postgres, "some text", sought) is False
    [size] = postgres.execute("SELECT numnode(crm_query(%s))", (sought,)).fetchone() or [None]
    assert size <= 2 * 8 * 64  # words and the & between them; letters at most, should the parser cut everywhere


def test_words_beyond_the_eighth_and_letters_beyond_the_64th_dont_count(postgres: Connection) -> None:
    assert found(postgres, "1 2 3 4 5 6 7 8", "1 2 3 4 5 6 7 8 9")
    assert not found(postgres, "1 2 3 4 5 6 7 9", "1 2 3 4 5 6 7 8 9")
    assert found(postgres, "x" * 64, "x" * 65)
    assert not found(postgres, "x" * 63, "x" * 64)


@pytest.mark.parametrize("locale", ["C.UTF-8", "tr_TR.UTF-8"])
def test_searches_are_the_same_under_every_locale(server: URL, locale: str) -> None:
    functions = ScriptDirectory.from_config(migrations._config()).get_revision("003").module
    try:
        with scratch_database(server, locale) as url, opened(url) as connection:
            for function in (functions.CRM_FOLD, functions.CRM_QUERY):
                connection.execute(function.encode())
            assert [(text, fold(connection, text)) for text, _ in FOLDED] == FOLDED
            assert [pair for pair in FOUND if not found(connection, *pair)] == []
            assert [pair for pair in NOT_FOUND if found(connection, *pair)] == []
            assert [sought for sought in HOSTILE if found(connection, "some text", sought)] == []
    except WrongObjectType:
        pytest.skip(f"the server has no locale {locale}")


async def deal(sql: AsyncConnection, title: str) -> Any:
    stage = await stages(sql)
    place = {"pipeline_id": stage["pipeline"], "stage_id": stage["new"]}
    return await add(sql, Deal, id=uuid.uuid4(), title=title, currency="USD", rank="a0", status="open", **place)


def named(model: type[SQLModel], alias: bool) -> tuple[Named, FromClause]:
    """The rows of a table, or of an alias of it, and what to select them from."""
    stored = table(model)
    name = "other" if alias else stored.name
    return Named(name, {column.name: column.type for column in stored.c}), stored.alias(name) if alias else stored


async def searched(sql: AsyncConnection, model: type[SQLModel], text: str) -> list[Any]:
    """The ids of the rows that match, best first; the same from the table and from an alias of it."""
    answers = []
    for alias in (False, True):
        rows, read = named(model, alias)
        best = search.rank(model, rows, literal(text)).desc()
        query = select(rows.c.id).select_from(read).where(search.matches(model, rows, literal(text)))
        answers.append(list(await sql.scalars(query.order_by(best, rows.c.id))))
    assert answers[0] == answers[1]
    return answers[0]


@pytest.mark.parametrize("text", ["ağrı", "çağrı@", "özgür.io", "satış", "532", "cagri mudur 90 532", "mu ca io"])
async def test_contacts_are_found_by_their_columns(sql: AsyncConnection, clean: None, text: str) -> None:
    him = await add(
        sql, Contact, full_name="Çağrı Ağrı", email="cagri@ozgur.io", title="Satış Müdürü", phone="+90 (532) 1"
    )
    await add(sql, Contact, full_name="Ada", email="ada@acme.io", website="https://cagri.ozgur.io/agri/satis/532")
    assert await searched(sql, Contact, text) == [him]


async def test_a_contact_without_a_name_is_found(sql: AsyncConnection, clean: None) -> None:
    nameless = await add(sql, Contact, email="ada@acme.io")
    assert await searched(sql, Contact, "ada acme") == [nameless]


@pytest.mark.parametrize("text", ["acme", "ACME.io", "ödemeler", "İzmir", "izmir acme"])
async def test_companies_are_found(sql: AsyncConnection, clean: None, text: str) -> None:
    kind = {"domain": "acme.io", "industry": "Ödemeler", "location": "IZMIR"}
    acme = await add(sql, Company, name="Acme", name_key="acme", **kind)
    await add(sql, Company, name="Globex", name_key="globex")
    assert await searched(sql, Company, text) == [acme]


async def test_whole_words_and_beginnings_of_a_title_come_first(sql: AsyncConnection, clean: None) -> None:
    inside = await deal(sql, "About the renewals of Acme")
    start = await deal(sql, "Renewals of Acme")
    whole = await deal(sql, "Acme: the RENEWAL")
    assert await searched(sql, Deal, "Renewal") == [*sorted([start, whole]), inside]
    assert (await searched(sql, Deal, "renewal acme"))[0] == whole


async def test_a_name_comes_before_a_title_and_an_address(sql: AsyncConnection, clean: None) -> None:
    address = await add(sql, Contact, full_name="Bob", email="ada@acme.io")
    longer = await add(sql, Contact, full_name="Bob Adams", email="bob@acme.io")
    whole = await add(sql, Contact, full_name="Lovelace, Ada", email="ll@acme.io")
    title = await add(sql, Contact, email="x@acme.io", title="ADA officer")
    assert await searched(sql, Contact, "ada") == [whole, longer, *sorted([address, title])]


async def test_a_text_that_no_index_could_hold_is_found_by_its_beginning(sql: AsyncConnection, clean: None) -> None:
    words = "".join(f"Wörd{i} " for i in range(200_000))
    await sql.exec_driver_sql("SET session_replication_role = replica")  # as before a title had a limit
    for title in (words, "x" * 3_000_000, "я" * 1_000_000, "ﷺ" * 1_000_000):
        await deal(sql, title)
    await sql.exec_driver_sql("RESET session_replication_role")
    assert len(await searched(sql, Deal, "word0 word7")) == 1
    assert await searched(sql, Deal, "word199999") == []


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("alias", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_search_is_read_from_its_index(admin_url: URL, model: type[SQLModel], alias: bool, generic: bool) -> None:
    stored = table(model)
    rows, read = named(model, alias)
    text: Any = literal_column("$1")
    ranked = select(rows.c.id, search.rank(model, rows, text)).select_from(read)
    ranked = ranked.where(search.matches(model, rows, text))
    statement = str(ranked.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    with opened(admin_url) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET plan_cache_mode = force_generic_plan" if generic else "RESET plan_cache_mode")
        connection.execute(f"PREPARE search (text) AS {statement}".encode())
        plan = "\n".join(line for (line,) in connection.execute("EXPLAIN EXECUTE search ('acme')"))
    assert f"Bitmap Index Scan on {stored.name}_search_idx" in plan
    assert ("crm_query($1)" in plan) == generic
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("role", ["app_user", "readonly"])
def test_everyone_who_reads_may_search(admin_url: URL, role: str) -> None:
    with opened(admin_url, role) as connection:
        for name in ("crm_fold", "crm_query"):
            connection.execute(q.SQL("SELECT {}('a')").format(q.Identifier(name)))
