"""The owner rule over random data: one large nested query returns exactly what a plain Python model says is visible."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Activity, Company, Contact, Deal, DealStageHistory, table
from tests.support.api import ask
from tests.support.factories import ADA, BOB, START, add_owner, stages

pytestmark = pytest.mark.slow

Row = dict[str, Any]
ENTRIES = "activities(first: 10) { totalCount nodes { id contact { id } deal { id } company { id } } }"
DEAL = f"id contact {{ id }} company {{ id }} stageHistory(first: 10) {{ totalCount nodes {{ id }} }} {ENTRIES}"
QUERY = f"""{{ deals(first: 10) {{ totalCount nodes {{ {DEAL} }} }}
    contacts(first: 10) {{ totalCount nodes {{ id company {{ id }}
        deals(first: 10) {{ totalCount nodes {{ {DEAL} }} }} {ENTRIES} }} }}
    company(id: "%s") {{ id contacts(first: 10) {{ totalCount nodes {{ id }} }}
        deals(first: 10) {{ totalCount nodes {{ id contact {{ id }} }} }} {ENTRIES} }}
    {ENTRIES}
    pipeline {{ stages {{ key dealCount amountTotals {{ amount currency }}
        deals(first: 10) {{ totalCount nodes {{ {DEAL} }} }} }} }} }}"""


@dataclass
class Team:
    """Rows as they are stored; owners are "ada", "bob" or None for the pool."""

    company: Row
    contacts: list[Row] = field(default_factory=list)
    deals: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)
    moves: list[Row] = field(default_factory=list)


owners = st.sampled_from(["ada", "bob", None])


@st.composite
def teams(draw: Callable[[Any], Any]) -> Team:
    """A few contacts and deals of any owner, linked regardless of their owners."""
    team = Team(company={"id": uuid.uuid4(), "name": "Acme", "name_key": "acme", "domain": "acme.example"})
    deleted = st.sampled_from([None, None, None, START])
    company = st.sampled_from([None, team.company["id"]])
    for i in range(draw(st.integers(0, 5))):
        row = {"email": f"lead{i}@acme.example", "owner_id": draw(owners), "company_id": draw(company)}
        team.contacts.append(row | {"id": uuid.uuid4(), "deleted_at": draw(deleted)})
    contact = st.sampled_from([None, *(row["id"] for row in team.contacts)])
    for i in range(draw(st.integers(0, 6))):
        row = {"title": f"deal {i}", "owner_id": draw(owners), "contact_id": draw(contact), "company_id": draw(company)}
        row |= {"stage": draw(st.sampled_from(["new", "qualified"])), "amount": draw(st.sampled_from([None, 10**i]))}
        row |= {"currency": draw(st.sampled_from(["USD", "EUR"])), "deleted_at": draw(deleted)}
        row["members"] = draw(st.sampled_from([(), (), ("ada",), ("bob",), ("bob", "ada")]))
        team.deals.append(row | {"id": uuid.uuid4()})
    deal = st.sampled_from([None, *(row["id"] for row in team.deals)])
    for i in range(draw(st.integers(0, 8))):
        row = {"id": uuid.uuid4(), "contact_id": draw(contact), "deal_id": draw(deal), "company_id": draw(company)}
        if any((row["contact_id"], row["deal_id"], row["company_id"])):
            team.activities.append(row | {"content": f"note {i}"})
    for row in team.deals:
        team.moves += [{"id": uuid.uuid4(), "deal_id": row["id"]} for _ in range(draw(st.integers(0, 2)))]
    return team


class Model:
    """What ada may see of a team, in the simplest possible code."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.deals = [row for row in team.deals if self.mine(row) or self.is_member(row)]
        shared = {row["contact_id"] for row in team.deals if self.is_member(row)}
        there = [row for row in team.contacts if row["deleted_at"] is None]
        self.contacts = [row for row in there if self.mine(row) or row["id"] in shared]
        self.seen = {row["id"] for row in self.contacts + self.deals} | {None}
        # Of a contact that is only seen as a deal's, the entries are not: they may be about a colleague's other deals.
        self.with_entries = {row["id"] for row in self.deals + [row for row in team.contacts if self.mine(row)]}

    @staticmethod
    def mine(row: Row) -> bool:
        return row["owner_id"] in ("ada", None) and row["deleted_at"] is None

    @staticmethod
    def is_member(row: Row) -> bool:
        return "ada" in row["members"] and row["deleted_at"] is None

    def shown(self, id_: Any) -> Any:
        return {"id": str(id_)} if id_ is not None and id_ in self.seen else None

    def entries(self, key: str | None = None, id_: Any = None) -> Any:
        rows = [row for row in self.team.activities if key is None or row[key] == id_]
        return listed({"id": str(row["id"]), "contact": self.shown(row["contact_id"]),
                       "deal": self.shown(row["deal_id"]), "company": shared(row)}
                      for row in rows if self.shows(row))  # fmt: skip

    def shows(self, entry: Row) -> bool:
        about = [entry[key] for key in ("contact_id", "deal_id") if entry[key]]
        return not about or any(id_ in self.with_entries for id_ in about)

    def deal(self, row: Row) -> Row:
        return {
            "id": str(row["id"]),
            "contact": self.shown(row["contact_id"]),
            "company": shared(row),
            "stageHistory": listed({"id": str(m["id"])} for m in self.team.moves if m["deal_id"] == row["id"]),
            "activities": self.entries("deal_id", row["id"]),
        }

    def contact(self, row: Row) -> Row:
        return {
            "id": str(row["id"]),
            "company": shared(row),
            "deals": listed(self.deal(deal) for deal in self.deals if deal["contact_id"] == row["id"]),
            "activities": self.entries("contact_id", row["id"]),
        }

    def stage(self, key: str) -> Row:
        deals = [row for row in self.deals if row["stage"] == key]
        sums: Counter[str] = Counter()
        for row in deals:
            sums[row["currency"]] += row["amount"] or 0
        has_amount = {row["currency"] for row in deals if row["amount"] is not None}
        totals = [{"amount": f"{sums[code]}.00", "currency": code} for code in sorted(has_amount)]
        return {"key": key, "dealCount": len(deals), "amountTotals": totals, "deals": listed(map(self.deal, deals))}

    def answer(self) -> Row:
        """The whole response to QUERY."""
        of_company = [row for row in self.deals if row["company_id"]]
        return {
            "deals": listed(map(self.deal, self.deals)),
            "contacts": listed(map(self.contact, self.contacts)),
            "company": {
                "id": str(self.team.company["id"]),
                "contacts": listed({"id": str(row["id"])} for row in self.contacts if row["company_id"]),
                "deals": listed({"id": str(row["id"]), "contact": self.shown(row["contact_id"])} for row in of_company),
                "activities": self.entries("company_id", self.team.company["id"]),
            },
            "activities": self.entries(),
        }


def shared(row: Row) -> Row | None:
    """The company of a row, which is visible to all."""
    return {"id": str(row["company_id"])} if row["company_id"] else None


def listed(nodes: Any) -> Row:
    rows = sorted(nodes, key=lambda node: str(node["id"]))
    return {"totalCount": len(rows), "nodes": rows}


def in_order_of_ids(value: Any) -> Any:
    """The response with every list of rows sorted, since order is not tested here."""
    if isinstance(value, dict):
        return {key: in_order_of_ids(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order_of_ids, value), key=lambda item: str(item.get("id")))
    return value


async def store(sql: AsyncConnection, team: Team, stage: dict[str, Any], owner: dict[Any, Any]) -> None:
    """Replace all stored rows by the team's."""
    await sql.execute(text("DELETE FROM deals"))
    await sql.execute(text("DELETE FROM contacts"))
    await sql.execute(text("DELETE FROM companies"))
    await sql.execute(insert(table(Company)).values(**team.company))
    place = {"pipeline_id": stage["pipeline"], "rank": "a0", "status": "open"}
    contacts = [row | {"owner_id": owner[row["owner_id"]]} for row in team.contacts]
    deals = [row | place | {"owner_id": owner[row["owner_id"]], "stage_id": stage[row["stage"]]} for row in team.deals]
    at = [START + timedelta(seconds=i) for i in range(len(team.activities))]
    notes = [row | {"type": "note", "occurred_at": at[i]} for i, row in enumerate(team.activities)]
    moves = [row | {"to_stage_id": stage["new"], "moved_at": START, "source": "test"} for row in team.moves]
    for deal in deals:
        del deal["stage"]
        deal["member_ids"] = [owner[who] for who in deal.pop("members")] or None
    for model, rows in ((Contact, contacts), (Deal, deals), (Activity, notes), (DealStageHistory, moves)):
        if rows:
            await sql.execute(insert(table(model)), rows)


@given(team=teams())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_nested_query_returns_exactly_what_is_visible(
    client: httpx.AsyncClient, sql: AsyncConnection, team: Team
) -> None:
    owner = {"ada": await owner_id(sql, ADA), "bob": await owner_id(sql, BOB), None: None}
    stage = await stages(sql)
    await store(sql, team, stage, owner)

    answer = await ask(client, ADA, QUERY % team.company["id"])

    model = Model(team)
    board = {one["key"]: in_order_of_ids(one | {"amountTotals": None}) for one in answer["pipeline"]["stages"]}
    totals = {one["key"]: one["amountTotals"] for one in answer["pipeline"]["stages"]}
    del answer["pipeline"]
    assert in_order_of_ids(answer) == model.answer()
    for key in board:
        expected = model.stage(key)
        assert board[key] == expected | {"amountTotals": None}
        assert totals[key] == expected["amountTotals"]


async def owner_id(sql: AsyncConnection, email: str) -> Any:
    known = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": email})
    return known or await add_owner(sql, email)
