"""Two salespeople and an admin do anything in any order: each sees exactly what a small model in memory says.

What is refused must change nothing, which the comparison after every step shows; and nothing of a colleague's is ever
seen or changed.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm_graph.app import create_app
from crm_graph.db import Database
from crm_graph.models import Owner, Role
from crm_graph.settings import Settings
from tests.builders import add_owner
from tests.conftest import JWT_SECRET, REFERENCE_TABLES
from tests.graphql.asking import Json, send, stages
from tests.graphql.world import ADA, BOB, ROOT

KINDS = {"new": "OPEN", "contacted": "OPEN", "qualified": "OPEN", "won": "WON", "lost": "LOST"}
PEOPLE = (ADA, BOB, ROOT)
EMAILS = ("one@lead.example", "two@lead.example")
SEEN = """{ pipeline { stages { key dealCount deals(first: 100) { nodes {
    id title status lostReason version owner { email } contact { email } } } } }
    contacts(first: 100) { totalCount nodes { email fullName version owner { email } } } }"""
HISTORY = """SELECT deals.id, old.key AS old, new.key AS new, moved_at, present.key AS present FROM deals
    JOIN deal_stage_history ON deal_id = deals.id LEFT JOIN pipeline_stages old ON old.id = from_stage_id
    JOIN pipeline_stages new ON new.id = to_stage_id JOIN pipeline_stages present ON present.id = stage_id
    ORDER BY deals.id, moved_at"""
RANKS = "SELECT stage_id, rank FROM deals WHERE deleted_at IS NULL"


@dataclass
class Deal:
    """A deal as the model knows it."""

    title: str
    owner: str | None
    stage: str
    contact: str | None = None
    lost_reason: str | None = None
    version: int = 1
    deleted: bool = False
    way: list[str] = field(default_factory=list)


@dataclass
class Contact:
    """A contact as the model knows it."""

    owner: str | None
    name: str | None = None
    version: int = 1
    deleted: bool = False


people = st.sampled_from(PEOPLE)
places = st.integers(0, 5)
keys = st.sampled_from(sorted(KINDS))


class Crm(RuleBasedStateMachine):
    """The model, and the server beside it."""

    url: URL

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.deals: dict[str, Deal] = {}
        self.columns: dict[str, list[str]] = {key: [] for key in KINDS}
        self.contacts: dict[str, Contact] = {}
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.engine: AsyncEngine = create_async_engine(self.url, isolation_level="AUTOCOMMIT")
        self.database = Database(self.url.update_query_dict({"options": "-c role=app_user"}))
        configured = Settings.load(_env_file=None, crm_env="production", jwt_secret=SecretStr(JWT_SECRET))
        transport = httpx.ASGITransport(create_app(configured, self.database), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://crm.test")
        async with self.engine.connect() as sql:
            await self._empty(sql)
            self.owners = {
                email: await add_owner(sql, email, role=Role.ADMIN if email == ROOT else Role.SALES) for email in PEOPLE
            }
            self.stages = await stages(sql)

    async def _empty(self, sql: Any) -> None:
        for stored in reversed(Owner.metadata.sorted_tables):
            if stored.name not in REFERENCE_TABLES:
                await sql.execute(stored.delete())

    def teardown(self) -> None:
        async def close() -> None:
            async with self.engine.connect() as sql:
                await self._empty(sql)
            await self.client.aclose()
            await self.database.close()
            await self.engine.dispose()

        self.runner.run(close())
        self.runner.close()

    # What the model says

    def sees(self, who: str, row: Deal | Contact | None) -> bool:
        return row is not None and not row.deleted and (who == ROOT or row.owner in (who, None))

    def pick(self, place: int) -> str:
        """The id of a deal, of whoever it is and be it deleted, or of none."""
        known = list(self.deals)
        return known[place] if place < len(known) else str(uuid.uuid4())

    def take(self, id_: str) -> None:
        column = self.columns[self.deals[id_].stage]
        if id_ in column:
            column.remove(id_)

    def put(self, id_: str, stage: str) -> None:
        """Into another stage, on top."""
        deal = self.deals[id_]
        self.take(id_)
        deal.stage, deal.version = stage, deal.version + 1
        deal.way.append(stage)
        self.columns[stage].insert(0, id_)

    # What the server does

    def do(self, who: str, mutation: str, expected: str | None, **given: Any) -> Json | None:
        """The payload, or None where the model expects a refusal with this code."""
        name = mutation[0].upper() + mutation[1:]
        selected = {"deleteDeal": "deletedDealId", "deleteContact": "deletedContactId"}
        shown = selected.get(mutation, "contact { id }" if "Contact" in mutation else "deal { id }")
        document = f"mutation ($in: {name}Input!) {{ done: {mutation}(input: $in) {{ {shown} }} }}"
        body = self.runner.run(send(self.client, who, document, **{"in": given})).json()
        code = body["errors"][0]["extensions"]["code"] if "errors" in body else None
        assert code == expected, (mutation, given, body)
        return dict(body["data"]["done"]) if code is None else None

    @rule(who=people, key=keys, title=st.sampled_from(["a", "b"]), email=st.sampled_from([None, *EMAILS]))
    def create_deal(self, who: str, key: str, title: str, email: str | None) -> None:
        contact = self.contacts.get(email or "")
        given: Json = {"title": title, "stageId": str(self.stages[key])}
        seen = self.sees(who, contact)
        if contact is not None:
            given["contactId"] = self.id_of(email or "")
        done = self.do(who, "createDeal", None if contact is None or seen else "NOT_FOUND", **given)
        if done:
            owner = contact.owner if contact is not None and who == ROOT else who
            made = Deal(title, owner, key, email if contact else None, way=[key])
            self.deals[done["deal"]["id"]] = made
            self.columns[key].insert(0, done["deal"]["id"])

    @rule(who=people, place=places, title=st.sampled_from(["a", "c"]), version=st.sampled_from([None, 0, 1]))
    def update_deal(self, who: str, place: int, title: str, version: int | None) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        given: Json = {"dealId": id_, "title": title}
        stale = False
        if version is not None:  # the present one, or another one
            given["expectedVersion"] = (deal.version if deal else 1) + version
            stale = version != 0
        code = "NOT_FOUND" if deal is None or not self.sees(who, deal) else "VERSION_CONFLICT" if stale else None
        if self.do(who, "updateDeal", code, **given) and deal and deal.title != title:
            deal.title, deal.version = title, deal.version + 1

    @rule(who=people, place=places, key=keys, beside=st.integers(-1, 5), below=st.booleans())
    def move_deal(self, who: str, place: int, key: str, beside: int, below: bool) -> None:
        id_, neighbour = self.pick(place), self.pick(beside) if beside >= 0 else None
        deal, other = self.deals.get(id_), self.deals.get(neighbour or "")
        given: Json = {"dealId": id_, "stageId": str(self.stages[key])}
        code = None if deal is not None and self.sees(who, deal) else "NOT_FOUND"
        if neighbour is not None:
            given["afterDealId" if below else "beforeDealId"] = neighbour
            if code is None and neighbour == id_:
                code = "VALIDATION"
            elif code is None and (other is None or not self.sees(who, other)):
                code = "NOT_FOUND"
            elif code is None and other is not None and other.stage != key:
                code = "CONFLICT"
        if self.do(who, "moveDealStage", code, **given) and deal:
            if deal.stage != key:
                self.put(id_, key)
                deal.lost_reason = None
            if neighbour is not None:
                self.columns[key].remove(id_)
                self.columns[key].insert(self.columns[key].index(neighbour) + below, id_)

    @rule(who=people, place=places, kind=st.sampled_from(["Won", "Lost", "Open"]), why=st.sampled_from(["x", "y", " "]))
    def mark_deal(self, who: str, place: int, kind: str, why: str) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        code = None if deal is not None and self.sees(who, deal) else "NOT_FOUND"
        given: Json = {"dealId": id_}
        if kind == "Lost":
            given["reason"] = why
            code = "VALIDATION" if why == " " else code
        mutation = "reopenDeal" if kind == "Open" else f"markDeal{kind}"
        if not self.do(who, mutation, code, **given) or not deal:
            return
        reason = why if kind == "Lost" else None
        if KINDS[deal.stage] != kind.upper():
            opened = [stage for stage in deal.way if KINDS[stage] == "OPEN"]
            self.put(id_, {"Won": "won", "Lost": "lost", "Open": opened[-1] if opened else "new"}[kind])
        elif deal.lost_reason != reason:
            deal.version += 1
        deal.lost_reason = reason

    @rule(who=people, place=places)
    def delete_deal(self, who: str, place: int) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        code = None if deal is not None and self.sees(who, deal) else "NOT_FOUND"
        if self.do(who, "deleteDeal", code, dealId=id_) and deal:
            self.take(id_)
            deal.deleted, deal.version = True, deal.version + 1

    @rule(who=people, place=places)
    def restore_deal(self, who: str, place: int) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        may = deal is not None and (who == ROOT or deal.owner in (who, None))
        if self.do(who, "restoreDeal", None if may else "NOT_FOUND", dealId=id_) and deal and deal.deleted:
            deal.deleted, deal.version = False, deal.version + 1
            self.columns[deal.stage].insert(0, id_)

    @rule(who=people, place=places, to=st.sampled_from([*PEOPLE, None]))
    def assign_deal(self, who: str, place: int, to: str | None) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        code = None if deal is not None and self.sees(who, deal) else "NOT_FOUND"
        if code is None and deal and who != ROOT and to != who and deal.owner != to:
            code = "FORBIDDEN"
        done = self.do(who, "assignDeal", code, dealId=id_, ownerId=str(self.owners[to]) if to else None)
        if done and deal and deal.owner != to:
            deal.owner, deal.version = to, deal.version + 1

    @rule(who=people, place=places)
    def claim_deal(self, who: str, place: int) -> None:
        id_ = self.pick(place)
        deal = self.deals.get(id_)
        code = None if deal is not None and self.sees(who, deal) else "NOT_FOUND"
        if code is None and deal and deal.owner not in (None, who):
            code = "CONFLICT"
        if self.do(who, "claimDeal", code, dealId=id_) and deal and deal.owner is None:
            deal.owner, deal.version = who, deal.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS), name=st.sampled_from(["Ann", "Ben", None]))
    def upsert_contact(self, who: str, email: str, name: str | None) -> None:
        contact = self.contacts.get(email)
        theirs = contact is not None and not self.sees(who, contact)
        if not self.do(who, "upsertContact", "CONFLICT" if theirs else None, email=email.upper(), fullName=name):
            return
        if contact is None:
            self.contacts[email] = Contact(who, name)
        elif contact.name != name:
            contact.name, contact.version = name, contact.version + 1

    @rule(email=st.sampled_from(EMAILS), to=st.sampled_from([*PEOPLE, None]))
    def give_contact_away(self, email: str, to: str | None) -> None:
        contact = self.contacts.get(email)
        if contact is None:
            return
        owner = str(self.owners[to]) if to else None
        code = "NOT_FOUND" if contact.deleted else None
        if self.do(ROOT, "updateContact", code, contactId=self.id_of(email), ownerId=owner) and contact.owner != to:
            contact.owner, contact.version = to, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def delete_contact(self, who: str, email: str) -> None:
        contact = self.contacts.get(email)
        code = None if self.sees(who, contact) else "NOT_FOUND"
        if contact and self.do(who, "deleteContact", code, contactId=self.id_of(email)):
            contact.deleted, contact.version = True, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def restore_contact(self, who: str, email: str) -> None:
        contact = self.contacts.get(email)
        if contact is None:
            return
        code = None if who == ROOT or contact.owner in (who, None) else "NOT_FOUND"
        if self.do(who, "restoreContact", code, contactId=self.id_of(email)) and contact.deleted:
            contact.deleted, contact.version = False, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def claim_contact(self, who: str, email: str) -> None:
        contact = self.contacts.get(email)
        if contact is None:
            return
        code = None if self.sees(who, contact) else "NOT_FOUND"
        if code is None and contact.owner not in (None, who):
            code = "CONFLICT"
        if self.do(who, "claimContact", code, contactId=self.id_of(email)) and contact.owner is None:
            contact.owner, contact.version = who, contact.version + 1
            for deal in self.deals.values():  # its open deals in the pool go along
                is_open = KINDS[deal.stage] == "OPEN" and not deal.deleted
                if deal.contact == email and deal.owner is None and is_open:
                    deal.owner, deal.version = who, deal.version + 1

    def id_of(self, email: str) -> str:
        async def find() -> str:
            async with self.engine.connect() as sql:
                return str(await sql.scalar(text("SELECT id FROM contacts WHERE email = :email"), {"email": email}))

        return self.runner.run(find())

    # What must hold after every step

    @invariant()
    def everybody_sees_what_the_model_says(self) -> None:
        for who in PEOPLE:
            body = self.runner.run(send(self.client, who, SEEN)).json()
            columns = {stage["key"]: stage for stage in body["data"]["pipeline"]["stages"]}
            for key in KINDS:
                mine = [id_ for id_ in self.columns[key] if self.sees(who, self.deals[id_])]
                assert columns[key]["deals"]["nodes"] == [self.shown(who, id_) for id_ in mine]
                assert columns[key]["dealCount"] == len(mine)
            contacts = {
                email: {"email": email, "fullName": contact.name, "version": contact.version, **owned(contact.owner)}
                for email, contact in self.contacts.items()
                if self.sees(who, contact)
            }
            assert {node["email"]: node for node in body["data"]["contacts"]["nodes"]} == contacts

    def shown(self, who: str, id_: str) -> Json:
        deal = self.deals[id_]
        contact = self.contacts.get(deal.contact or "")
        return {
            "id": id_,
            "title": deal.title,
            "status": KINDS[deal.stage],
            "lostReason": deal.lost_reason,
            "version": deal.version,
            "contact": {"email": deal.contact} if self.sees(who, contact) else None,
            **owned(deal.owner),
        }

    @invariant()
    def history_and_ranks_are_in_order(self) -> None:
        async def read() -> tuple[list[Any], list[Any]]:
            async with self.engine.connect() as sql:
                return list(await sql.execute(text(HISTORY))), list(await sql.execute(text(RANKS)))

        moves, ranks = self.runner.run(read())
        for id_, deal in self.deals.items():
            theirs = [move for move in moves if str(move.id) == id_]
            assert [move.new for move in theirs] == deal.way
            assert [theirs[0].old, theirs[-1].present] == [None, deal.stage]
            assert all(b.old == a.new and b.moved_at > a.moved_at for a, b in pairwise(theirs))
        assert len({tuple(row) for row in ranks}) == len(ranks)


def owned(owner: str | None) -> Json:
    """The owner as the API shows it."""
    return {"owner": {"email": owner} if owner else None}


def test_any_sequence_of_calls_leaves_what_the_model_says(admin_url: URL) -> None:
    Crm.url = admin_url
    # Without shrinking: a failure prints its steps, and looking for shorter ones takes minutes.
    only = settings(max_examples=12, stateful_step_count=25, phases=[Phase.generate])
    run_state_machine_as_test(Crm, settings=only)
