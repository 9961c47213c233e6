"""`crm-graph owner`: who is in the team, what the command prints of them, and what it refuses."""

from typing import Any

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.slow


def test_owners_are_listed_for_machines(crm: Commands, team: dict[str, str]) -> None:
    assert crm("owner", "list", **team).lines() == [
        "ada@seller.com\tAda\tadmin\ttrue\ttrue\t",
        "max@seller.com\tMax\tsales\tfalse\ttrue\tmax@sender.com",
    ]


def test_without_owners_it_says_so_beside_the_pipe(crm: Commands, team: dict[str, str], rows: Any) -> None:
    rows("DELETE FROM owners RETURNING 1")
    done = crm("owner", "list", **team)
    assert (done.code, done.out, done.err) == (0, "", "none\n")


def test_add_an_owner_who_becomes_the_default(crm: Commands, team: dict[str, str]) -> None:
    who = ("--name", "Zoë", "--email", " Zoe@Seller.COM", "--role", "admin", "--default")
    boxes = ("--mailbox", "B@sender.com", "--mailbox", "a@sender.com")
    assert crm("owner", "add", *who, *boxes, **team).lines() == [
        "ada@seller.com\tAda\tadmin\tfalse\ttrue\t",
        "max@seller.com\tMax\tsales\tfalse\ttrue\tmax@sender.com",
        "zoe@seller.com\tZoë\tadmin\ttrue\ttrue\ta@sender.com,b@sender.com",
    ]


def test_what_is_not_given_stays(crm: Commands, team: dict[str, str]) -> None:
    changed = crm("owner", "update", "--email", "max@seller.com", "--role", "admin", "--inactive", **team).lines()
    assert changed[1] == "max@seller.com\tMax\tadmin\tfalse\tfalse\tmax@sender.com"
    changed = crm(
        "owner", "update", "--email", "max@seller.com", "--name", "Maxi", "--mailbox", "m@x.com", **team
    ).lines()
    assert changed[1] == "max@seller.com\tMaxi\tadmin\tfalse\tfalse\tm@x.com"
    changed = crm("owner", "update", "--email", "ada@seller.com", "--no-default", **team).lines()
    assert changed[0] == "ada@seller.com\tAda\tadmin\tfalse\ttrue\t"


def test_time_zone_and_booking_page(crm: Commands, team: dict[str, str], rows: Any) -> None:
    where = ("--timezone", "Europe/Istanbul", "--booking-url", "https://cal.example/max")
    crm("owner", "update", "--email", "max@seller.com", *where, **team).lines()
    assert rows("SELECT timezone, booking_url FROM owners WHERE name = 'Max'") == [where[1::2]]
    line = crm("owner", "update", "--email", "max@seller.com", "--timezone", "Mars", **team).problem()
    assert "timezone 'Mars' is not an IANA time zone" in line


@pytest.mark.parametrize(
    ("to", "owner", "boxes"),
    [
        (("--hand-over-to", "ADA@seller.com"), "Ada", ["max@sender.com", ""]),
        (("--hand-over-to-pool",), None, ["", ""]),
    ],
)
def test_who_leaves_hands_over(
    crm: Commands, team: dict[str, str], rows: Any, to: tuple[str, ...], owner: str | None, boxes: list[str]
) -> None:
    rows("DELETE FROM contacts RETURNING 1")
    rows("INSERT INTO contacts (email, owner_id) SELECT 'lead@x.com', id FROM owners WHERE name = 'Max' RETURNING 1")

    kept = crm("owner", "update", "--email", "max@seller.com", "--inactive", **team)
    assert kept.remarks() == [
        "max@seller.com keeps 1 contacts, 0 deals and 0 open tasks; to hand them over: "
        "crm-graph owner update --email max@seller.com --inactive --hand-over-to EMAIL"
    ]
    done = crm("owner", "update", "--email", "max@seller.com", "--inactive", *to, **team)

    assert done.remarks()[0].startswith("max@seller.com had 1 contacts, 0 deals and 0 open tasks; they are ")
    assert [line.split("\t")[-1] for line in done.out.splitlines()] == boxes
    query = "SELECT owners.name, version FROM contacts LEFT JOIN owners ON owners.id = owner_id"
    assert rows(query) == [(owner, 2)]
    assert rows("SELECT meta_json->>'source' FROM activities") == [("crm-graph",)]
    rows("DELETE FROM contacts RETURNING 1")


def test_a_mailbox_is_freed_with_the_command_that_the_refusal_names(crm: Commands, team: dict[str, str]) -> None:
    for boxes, rest in (
        (["max@sender.com", "m@x.com"], ["--mailbox", "m@x.com"]),
        (["max@sender.com"], ["--no-mailboxes"]),
    ):
        given = [part for box in boxes for part in ("--mailbox", box)]
        crm("owner", "update", "--email", "max@seller.com", *given, **team).lines()
        line = crm("owner", "update", "--email", "ada@seller.com", "--mailbox", "max@sender.com", **team).problem()
        whose, _, command = line.partition("; to free it: crm-graph ")
        assert whose == "the mailbox max@sender.com belongs to max@seller.com"
        assert command.split() == ["owner", "update", "--email", "max@seller.com", *rest]
        changed = crm(*command.split(), **team).lines()
        assert changed[1].split("\t")[-1] == ",".join(rest[1:])
    both = ("--mailbox", "m@x.com", "--no-mailboxes")
    assert "--no-mailboxes" in crm("owner", "update", "--email", "max@seller.com", *both, **team).problem()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("add --name Max --email MAX@seller.com", "an owner max@seller.com already exists"),
        (
            "add --name Eve --email eve@seller.com --mailbox max@sender.com",
            "max@sender.com belongs to max@seller.com; ",
        ),
        ("add --name Eve --email eve@seller.com --mailbox nonsense", "mailbox is not an e-mail address"),
        ("add --name Eve --email nonsense --default", "email is not an e-mail address"),
        ("update --email eve@seller.com --name Eve", "there is no owner eve@seller.com"),
        (
            "update --email ada@seller.com --role sales --mailbox max@sender.com",
            "max@sender.com belongs to max@seller.com; ",
        ),
        ("update --email ada@seller.com --role sales", "ada@seller.com is the last active admin"),
        ("update --email ada@seller.com --inactive --hand-over-to-pool", "ada@seller.com is the last active admin"),
        ("update --email max@seller.com --inactive --hand-over-to eve@seller.com", "no owner eve@seller.com"),
        ("update --email max@seller.com --hand-over-to ada@seller.com", "go with --inactive"),
        ("update --email max@seller.com --inactive --hand-over-to x --hand-over-to-pool", "either --hand-over-to or"),
    ],
)
def test_a_refused_change_changes_nothing(
    crm: Commands, team: dict[str, str], rows: Any, arguments: str, problem: str
) -> None:
    everything = "SELECT owners::text, owner_mailboxes::text FROM owners LEFT JOIN owner_mailboxes ON owner_id = id"
    before = rows(everything)
    assert problem in crm("owner", *arguments.split(), **team).problem()
    assert rows(everything) == before


@pytest.mark.parametrize("name", ["two\nlines", "a\ttab", " "])
def test_a_name_that_would_break_the_output(crm: Commands, team: dict[str, str], name: str) -> None:
    assert "name" in crm("owner", "add", "--name", name, "--email", "eve@seller.com", **team).problem()
