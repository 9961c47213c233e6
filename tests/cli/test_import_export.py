"""`crm-graph import` and `crm-graph export`: what they print, write and refuse."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.slow

AS_ADA = "on behalf of ada@seller.com (admin); --owner names another"


@pytest.fixture
def team(team: dict[str, str], rows: Any) -> dict[str, str]:
    """The team with a reader and somebody who has left, and without a default owner."""
    rows("UPDATE owners SET is_default = false RETURNING 1")
    rows(
        "INSERT INTO owners (name, email, role, active) VALUES ('Rita', 'rita@seller.com', 'readonly', true), "
        "('Gone', 'gone@seller.com', 'sales', false) RETURNING 1"
    )
    return team


@pytest.fixture
def leads(tmp_path: Path) -> str:
    """A file with a bad line."""
    file = tmp_path / "leads.csv"
    file.write_text("E-Mail;Full Name;Score\njane@x.example;=Jane();7\nnonsense;;\n", encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("command", ["import contacts", "export"])
def test_help(crm: Commands, command: str) -> None:
    done = crm(*command.split(), "--help")
    assert done.code == 0
    assert "Usage: crm-graph" in done.out


def test_a_file_goes_in_and_comes_out(
    crm: Commands, team: dict[str, str], rows: Any, leads: str, tmp_path: Path
) -> None:
    tried = crm("import", "contacts", leads, "--dry-run", **team)
    assert (tried.code, tried.out) == (1, "1\t0\t0\t1\n")
    assert tried.err.splitlines() == [
        f"crm-graph: {AS_ADA}",
        "line 3: E-Mail is not an e-mail address",
        "crm-graph: dry run: nothing was changed",
    ]
    assert rows("SELECT email FROM contacts") == []

    done = crm("import", "contacts", leads, "--owner", "max@seller.com", **team)
    assert (done.code, done.out, done.err) == (1, "1\t0\t0\t1\n", "line 3: E-Mail is not an e-mail address\n")
    made = rows(
        "SELECT contacts.email, full_name, custom, owners.email FROM contacts JOIN owners ON owners.id = owner_id"
    )
    assert made == [("jane@x.example", "=Jane()", {"Score": "7"}, "max@seller.com")]

    written = tmp_path / "contacts.csv"
    assert crm("export", "contacts", "--output", str(written), "--bom", **team).remarks() == [AS_ADA]
    assert written.read_bytes().startswith(b"\xef\xbb\xbfid,email,fullName,")
    [contact] = csv.DictReader(written.read_text(encoding="utf-8-sig").splitlines())
    assert (contact["email"], contact["fullName"]) == ("jane@x.example", "'=Jane()")
    again = crm("import", "contacts", str(written), "--owner", "max@seller.com", **team)
    assert again.lines() == ["0\t0\t1\t0"]
    assert set(tmp_path.iterdir()) == {Path(leads), written}


def test_the_lines_that_failed_go_to_a_file(crm: Commands, team: dict[str, str], leads: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"

    done = crm("import", "contacts", leads, "--errors", str(errors), **team)

    assert (done.code, done.out, done.err) == (1, "1\t0\t0\t1\n", f"crm-graph: {AS_ADA}\n")
    assert errors.read_text() == "line,reason\n3,E-Mail is not an e-mail address\n"


def test_columns_by_name(crm: Commands, team: dict[str, str], rows: Any, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("Kontakt,a=b,skip\njane@x.example,7,8\n")

    mapping = ("--mapping", "Kontakt=email", "--mapping", "a=b=title", "--mapping", "skip=")
    assert crm("import", "contacts", str(file), "--owner", "ada@seller.com", *mapping, **team).lines() == ["1\t0\t0\t0"]

    assert rows("SELECT email, title, custom FROM contacts") == [("jane@x.example", "7", {})]


def test_exports_are_what_the_owner_may_see(crm: Commands, team: dict[str, str], rows: Any) -> None:
    rows("INSERT INTO contacts (email, owner_id) SELECT 'of.' || email, id FROM owners RETURNING 1")

    def emails(owner: str) -> set[str]:
        lines = crm("export", "contacts", "--owner", owner, **team).lines()
        return {row["email"] for row in csv.DictReader(lines)}

    assert emails("max@seller.com") == {"of.max@seller.com"}
    assert len(emails("rita@seller.com")) == 4
    [header] = crm("export", "activities", "--owner", "max@seller.com", **team).lines()
    assert header.startswith("id,type,")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("import contacts {leads} --owner nobody@seller.com", "there is no owner nobody@seller.com"),
        ("import contacts {leads} --owner gone@seller.com", "gone@seller.com is inactive: crm-graph owner update"),
        ("import contacts {leads} --owner rita@seller.com", "the role readonly may not change anything"),
        ("import contacts {leads} --mapping Score", "--mapping 'Score' is not COLUMN=FIELD"),
        ("import contacts {leads} --mapping E-Mail=", "no column is the e-mail address: name it with --mapping"),
        ("import contacts {leads} --errors /nowhere/errors.csv", "/nowhere/errors.csv"),
        ("import contacts {leads} --errors {leads}", "--errors would overwrite"),
        ("export contacts --output /nowhere/contacts.csv", "/nowhere"),
    ],
)
def test_what_is_refused_changes_nothing(
    crm: Commands, team: dict[str, str], rows: Any, leads: str, arguments: str, problem: str
) -> None:
    assert problem in crm(*arguments.format(leads=leads).split(), **team).problem()
    assert rows("SELECT email FROM contacts") == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("import contacts /nowhere.csv", "/nowhere.csv"),
        ("import deals x.csv", "No such command 'deals'"),
        ("export companies", "companies"),
    ],
)
def test_wrong_usage(crm: Commands, arguments: str, problem: str) -> None:
    assert problem in crm(*arguments.split()).problem(code=2)


def test_the_default_owner_comes_before_the_only_admin(
    crm: Commands, team: dict[str, str], rows: Any, leads: str
) -> None:
    rows("UPDATE owners SET is_default = true WHERE email = 'max@seller.com' RETURNING 1")
    assert "on behalf of max@seller.com (sales)" in crm("export", "contacts", **team).err
    rows("UPDATE owners SET is_default = false, role = 'admin' WHERE role = 'sales' RETURNING 1")
    assert "name one with --owner" in crm("export", "contacts", **team).problem()


def test_a_file_that_can_not_be_finished_is_not_there(
    crm: Commands, team: dict[str, str], rows: Any, tmp_path: Path
) -> None:
    rows("INSERT INTO contacts (email, created_at) VALUES ('a@x.example', 'infinity') RETURNING 1")
    there = tmp_path / "contacts.csv"
    there.write_text("of yesterday")

    done = crm("export", "contacts", "-o", str(there), **team)

    assert done.code != 0
    assert there.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [there]
