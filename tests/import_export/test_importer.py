"""Imports: each line of a file is upserted, or reported with the reason why not."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.batches import ITEMS_MAX
from crm_graph.errors import Forbidden, SetupError
from crm_graph.identity.principal import Principal
from crm_graph.import_export import exporter, importer
from crm_graph.import_export.csv_columns import VARIABLE, Columns
from crm_graph.import_export.csv_reader import open_csv
from crm_graph.import_export.exporter import Kind
from crm_graph.import_export.importer import Counts
from crm_graph.models import Company, ContactEmail, Role, table
from tests.support.database import unchanged
from tests.support.factories import World, add

Reported = list[tuple[int, str]]


@pytest.fixture
def import_file(database: Database, world: World, tmp_path: Path) -> Any:
    """Imports a file with this content, by default as Ada."""

    async def run(content: bytes | str, role: Role = Role.SALES, **given: Any) -> tuple[Counts, Reported]:
        file = tmp_path / "contacts.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        reported: Reported = []
        mapping = given.pop("mapping", {})
        with open_csv(file) as csv_file:
            columns = Columns(csv_file.header, mapping)
            principal = Principal(world.ada.owner, role, "import")
            counts = await importer.import_contacts(
                database,
                principal,
                csv_file,
                columns,
                report=lambda line, reason: reported.append((line, reason)),
                **given,
            )
        return counts, reported

    return run


async def stored(sql: AsyncConnection, email: str) -> Any:
    query = """SELECT contacts.*, companies.name AS company FROM contacts
               LEFT JOIN companies ON companies.id = company_id WHERE email = :email"""
    return (await sql.execute(text(query), {"email": email})).one()


async def test_a_list_of_leads(import_file: Any, world: World, sql: AsyncConnection) -> None:
    content = (
        "E-Mail,First Name,LAST_NAME,Company,Job Title,Phone,LinkedIn,Lead Score,Ünvan 2\r\n"
        'Jane@Fresh.example,Jane,Roe,"Fresh, Ltd",CTO,+49 30 1234,https://l.example/jane,12,x\r\n'
        f"{world.ada.email},,,,CEO,,,,\r\n"
        "\r\n"
        f"{world.pool.email},,,,,,,,\r\n"
    )

    counts, reported = await import_file(content)

    assert (astuple(counts), reported) == ((1, 1, 1, 0), [])
    jane, known = await stored(sql, "jane@fresh.example"), await stored(sql, world.ada.email)
    assert (jane.full_name, jane.company, jane.title, jane.phone) == ("Jane Roe", "Fresh, Ltd", "CTO", "+49 30 1234")
    assert (jane.linkedin_url, jane.owner_id) == ("https://l.example/jane", world.ada.owner)
    assert jane.custom == {"Lead Score": "12", "Ünvan 2": "x"}
    assert (known.title, known.full_name, known.custom) == ("CEO", world.ada.email, {})
    query = "SELECT content, meta_json, created_by FROM activities WHERE contact_id = :id"
    [entry] = await sql.execute(text(query), {"id": jane.id})
    assert tuple(entry) == ("Contact created", {"source": "import"}, world.ada.owner)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_files_of_other_programs(
    import_file: Any, sql: AsyncConnection, delimiter: str, encoding: str, end: str
) -> None:
    lines = [["Ad Soyad", "E-posta", "Şirket"], ["Işıl Çağ", "isil@x.example", '"a, b; c\t""d"""']]

    counts, reported = await import_file(end.join(delimiter.join(line) for line in lines).encode(encoding))

    assert (counts.created, reported) == (1, [])
    row = await stored(sql, "isil@x.example")
    assert (row.full_name, row.company) == ("Işıl Çağ", 'a, b; c "d"')


async def test_bad_lines_are_reported_with_their_numbers(import_file: Any, world: World, sql: AsyncConnection) -> None:
    content = b"\n".join(
        [
            "email,Name,custom,companyId,lifecycleStage,für".encode(),
            b"good@x.example,Good,,,customer,",
            b'"two@x.example","of two\nlines",,,,',
            b"nonsense,,,,,",
            b"a@x.example,M\xfcller,,,,",
            b"b@x.example,Nul\x00,,,,",
            b"c@x.example,,[1],,,",
            b"d@x.example,,,none,,",
            b"e@x.example,,,,king,",
            b"f@x.example,too,many,cells,,,here",
            b"," + b"x" * 501 + b",,,,",
            b"g@x.example," + b"x" * 501,
            world.bob.email.encode() + b",,,,,",
            b"h@x.example,,,123e4567-e89b-12d3-a456-426614174000,,",
            b'i@x.example,,"{""a"": 1e999}",,,',
            b"last@x.example,Last",
        ]
    )

    counts, reported = await import_file(content)

    assert astuple(counts) == (3, 0, 0, 12)
    assert dict(reported) == {
        5: "email is not an e-mail address",
        6: "cell 2 has the byte 0xfc, which is not UTF-8: save the file as UTF-8, or use --encoding",
        7: "Name contains a NUL character or half of a surrogate pair",
        8: "custom is not a JSON object",
        9: "companyId is not an id",
        10: "lifecycleStage must be one of lead, qualified, opportunity, customer, disqualified",
        11: "it has 7 cells, but the header has 6: is there an unquoted delimiter in a cell?",
        12: "email is not an e-mail address",
        13: "Name is longer than 500 characters: it has 501",
        14: "email: this e-mail belongs to a colleague's contact",
        15: "companyId: company not found",
        16: "custom contains a number beyond 64 bits; send it as text",
    }
    assert (await stored(sql, "good@x.example")).lifecycle_stage == "customer"
    assert (await stored(sql, "two@x.example")).full_name == "of two lines"


async def test_a_line_after_another_of_the_same_contact_wins(
    import_file: Any, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(table(ContactEmail).insert().values(email="alias@acme.example", contact_id=world.ada.contact))
    lines = [
        "email,title,phone",
        "new@x.example,First,1",
        f"{world.ada.email},First,",
        "NEW@x.example,Second,",
        "alias@acme.example,Second,",
        "new@x.example,Third,",
    ]

    counts, reported = await import_file("\n".join(lines))

    assert (astuple(counts), reported) == ((1, 4, 0, 0), [])
    new, known = await stored(sql, "new@x.example"), await stored(sql, world.ada.email)
    assert (new.title, new.phone, new.version, known.title, known.version) == ("Third", "1", 3, "Second", 3)


async def test_more_lines_than_fit_into_a_batch(import_file: Any) -> None:
    emails = [f"{n}@many.example" for n in range(2 * ITEMS_MAX + 1)]
    bad = {5: "x", ITEMS_MAX + 7: "y"}
    lines = ["email", *(bad.get(n, email) for n, email in enumerate(emails))]

    counts, reported = await import_file("\n".join([*lines, emails[0]]))

    assert astuple(counts) == (len(emails) - 2, 0, 1, 2)
    assert [line for line, _ in reported] == [7, ITEMS_MAX + 9]


async def test_a_dry_run_reports_and_changes_nothing(import_file: Any, world: World, sql: AsyncConnection) -> None:
    content = f"email,title\nnew@x.example,CTO\n{world.ada.email},CEO\nx,\n"
    async with unchanged(sql):
        tried = await import_file(content, dry_run=True)

    assert tried == await import_file(content)
    assert astuple(tried[0]) == (1, 1, 0, 1)


async def test_deleted_contacts(import_file: Any, world: World, sql: AsyncConnection) -> None:
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE id = :id"), {"id": world.ada.contact})

    refused, reported = await import_file(f"email\n{world.ada.email}")
    restored, _ = await import_file(f"email\n{world.ada.email}", restore_deleted=True)

    assert (refused.failed, restored.changed) == (1, 1)
    assert "deleted contact" in reported[0][1]


async def test_the_role_limits_an_import(import_file: Any, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        with pytest.raises(Forbidden):
            await import_file("email\nnew@x.example", Role.READONLY)
    given = f"email,ownerId\nnew@x.example,{world.bob.owner}\n"

    as_sales, reported = await import_file(given)
    as_admin, _ = await import_file(given, Role.ADMIN)

    assert (as_sales.failed, as_admin.created) == (1, 1)
    assert reported[0][1].startswith("ownerId: only an admin")


async def test_a_mapping_overrides_the_headers(import_file: Any, sql: AsyncConnection) -> None:
    content = "Kontakt,title,Funktion,phone,custom\na@x.example,Dr.,CTO,1,"
    mapping = {"Kontakt": "email", "title": "variable", "Funktion": "jobTitle", "phone": ""}

    counts, _ = await import_file(content, mapping=mapping)

    row = await stored(sql, "a@x.example")
    assert (counts.created, row.title, row.phone, row.custom) == (1, "CTO", None, {"title": "Dr."})


@pytest.mark.parametrize(
    ("content", "mapping", "problem"),
    [
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        (
            "name,phone\n",
            {},
            "no column is the e-mail address: name it with --mapping COLUMN=email; the columns are: name",
        ),
        ("email,email\n", {}, "the columns email and email are both email: leave one out with --mapping 2="),
        ("email,note,note\n", {}, "the columns note and note are both note"),
        ("email\n", {"mail": "email"}, "there is no column 'mail'; the columns are: email"),
        ("email,x\n", {"x": "shoe size"}, "a column can't be 'shoe size'"),
        ("email,ü,\n".encode() + b"a@b.example,\xe9", {"3": "shoe"}, "a column can't be 'shoe'"),
        (b"PK\x03\x04...", {}, "is a workbook: save it as CSV in UTF-8"),
        ('"email\nx', {}, "line 1: from here on, this is not CSV"),
    ],
)
async def test_files_that_are_refused(
    import_file: Any, sql: AsyncConnection, content: str | bytes, mapping: dict[str, str], problem: str
) -> None:
    async with unchanged(sql):
        with pytest.raises(SetupError, match=problem.replace("(", r"\(")):
            await import_file(content, mapping=mapping)


async def test_what_is_not_csv_ends_the_import(import_file: Any) -> None:
    counts, reported = await import_file('email,name\na@x.example,A\n"b@x.example"x,B\nc@x.example,C\n')

    assert astuple(counts) == (1, 0, 0, 1)
    [(line, reason)] = reported
    assert line == 3
    assert reason.startswith("from here on, this is not CSV: ")


async def test_what_was_exported_comes_back_as_it_was(
    import_file: Any, database: Database, world: World, sql: AsyncConnection
) -> None:
    """Nothing in any table changes, whatever the names and variables are."""
    other = await add(sql, Company, name="Acme", name_key="acme", domain="acme2.example")
    names = [
        "=cmd|' /C calc'!A0", "'=x", "''@x", "  outer space ", '"quoted", and;more', "-5",
        "'", "+49 30 1234", "<b>x</b>", "\N{RIGHT-TO-LEFT OVERRIDE}x", "", " ", "＝x", "NULL", "\\N", "\ufeffx", "Ünï",
    ]  # fmt: skip
    for n, name in enumerate(names):
        values = {"email": f"={n}@acme.example", "name": name, "company": other, "owner": world.ada.owner}
        query = """INSERT INTO contacts (email, full_name, title, phone, company_id, owner_id, owner_source, custom)
            VALUES (:email, :name, :name, :name, :company, :owner, 'default', jsonb_build_object(
                '=k', CAST(:name AS text), 'n', NULL, 'o', '{"n": null, "l": [null, 1.5]}'::jsonb))"""
        await sql.execute(text(query), values)
    principal = Principal(world.ada.owner, Role.SALES, "export")
    exported = b"".join([part async for part in exporter.pages(database, principal, Kind.CONTACTS, bom=True)])

    async with unchanged(sql):
        counts, reported = await import_file(exported)

    assert (astuple(counts), reported) == ((0, 0, len(names) + 2, 0), [])
    header = exported.decode("utf-8-sig").partition("\r\n")[0].split(",")
    assert VARIABLE not in Columns(header, {}).fields
