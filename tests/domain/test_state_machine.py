"""Two salespeople and an admin make any calls in any order: each sees exactly what a small model in memory says.

The comparison after every step shows that a refused call changes nothing, and that nobody sees or changes a
colleague's rows.
"""

import asyncio
import os
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm_graph.database.engine import Database
from crm_graph.models import Role
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import Json, send
from tests.support.credentials import JWT_SECRET
from tests.support.crm_model import KINDS, PEOPLE, Contact, Deal, Model
from tests.support.database import empty
from tests.support.factories import BOB, ROOT, add_owner, stages

pytestmark = pytest.mark.slow

EXAMPLES = 30 if "FUZZ_EXAMPLES" in os.environ else 6  # see `make fuzz`
EMAILS = ("one@lead.example", "two@lead.example")
SEEN = """{ pipeline { stages { key dealCount deals(first: 100) { nodes {
    id title status lostReason version owner { email } contact { email } } } } }
    contacts(first: 100) { totalCount nodes { email fullName version owner { email } } } }"""
HISTORY = """SELECT deals.id, old.key AS old, new.key AS new, moved_at, present.key AS present FROM deals
    JOIN deal_stage_history ON deal_id = deals.id LEFT JOIN pipeline_stages old ON old.id = from_stage_id
    JOIN pipeline_stages new ON new.id = to_stage_id JOIN pipeline_stages present ON present.id = stage_id
    ORDER BY deals.id, moved_at"""
RANKS = "SELECT stage_id, rank FROM deals WHERE deleted_at IS NULL"

people, places, keys = st.sampled_from(PEOPLE), st.integers(0, 5), st.sampled_from(sorted(KINDS))


class Crm(RuleBasedStateMachine):
    """Every call goes to the server, and where the model says so it is refused and changes nothing."""

    url: URL

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = Model()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.engine: AsyncEngine = create_async_engine(self.url, isolation_level="AUTOCOMMIT")
        self.database = Database(self.url.update_query_dict({"options": "-c role=app_user"}))
        configured = Settings.load(_env_file=None, crm_env="production", jwt_secret=SecretStr(JWT_SECRET))
        transport = httpx.ASGITransport(create_app(configured, self.database), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://crm.test")
        async with self.engine.connect() as sql:
            await empty(sql)
            self.owners = {
                email: await add_owner(sql, email, role=Role.ADMIN if email == ROOT else Role.SALES) for email in PEOPLE
            }
            self.stages = await stages(sql)

    def teardown(self) -> None:
        async def close() -> None:
            async with self.engine.connect() as sql:
                await empty(sql)
            await self.client.aclose()
            await self.database.close()
            await self.engine.dispose()

        self.runner.run(close())
        self.runner.close()

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
        contact = self.model.contacts.get(email or "")
        given: Json = {"title": title, "stageId": str(self.stages[key])}
        seen = contact is not None and self.model.changes(who, contact)
        if contact is not None:
            given["contactId"] = self.id_of(email or "")
        done = self.do(who, "createDeal", None if contact is None or seen else "NOT_FOUND", **given)
        if done:
            owner = contact.owner if contact is not None and who == ROOT else who
            self.model.add(done["deal"]["id"], Deal(title, owner, key, email if contact else None))

    @rule(who=people, place=places, title=st.sampled_from(["a", "c"]), version=st.sampled_from([None, 0, 1]))
    def update_deal(self, who: str, place: int, title: str, version: int | None) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        given: Json = {"dealId": id_, "title": title}
        stale = False
        if version is not None:  # the present one, or another one
            given["expectedVersion"] = (deal.version if deal else 1) + version
            stale = version != 0
        code = self.model.missing(who, deal) or ("VERSION_CONFLICT" if stale else None)
        if self.do(who, "updateDeal", code, **given) and deal and deal.title != title:
            deal.title, deal.version = title, deal.version + 1

    @rule(who=people, place=places, key=keys, beside=st.integers(-1, 5), below=st.booleans())
    def move_deal(self, who: str, place: int, key: str, beside: int, below: bool) -> None:
        id_, neighbour = self.model.pick(place), self.model.pick(beside) if beside >= 0 else None
        deal, other = self.model.deals.get(id_), self.model.deals.get(neighbour or "")
        given: Json = {"dealId": id_, "stageId": str(self.stages[key])}
        code = self.model.missing(who, deal)
        if neighbour is not None:
            given["afterDealId" if below else "beforeDealId"] = neighbour
            if code is None and neighbour == id_:
                code = "VALIDATION"
            elif code is None:
                code = self.model.missing(who, other) or ("CONFLICT" if other and other.stage != key else None)
        if self.do(who, "moveDealStage", code, **given) and deal:
            if deal.stage != key:
                self.model.put(id_, key)
                deal.lost_reason = None
            if neighbour is not None:
                self.model.columns[key].remove(id_)
                self.model.columns[key].insert(self.model.columns[key].index(neighbour) + below, id_)

    @rule(who=people, place=places, kind=st.sampled_from(["Won", "Lost", "Open"]), why=st.sampled_from(["x", "y", " "]))
    def mark_deal(self, who: str, place: int, kind: str, why: str) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        code = self.model.missing(who, deal)
        given: Json = {"dealId": id_}
        if kind == "Lost":
            given["reason"] = why
            code = "VALIDATION" if why == " " else code
        mutation = "reopenDeal" if kind == "Open" else f"markDeal{kind}"
        if not self.do(who, mutation, code, **given) or not deal:
            return
        reason = why if kind == "Lost" else None
        if deal.kind != kind.upper():
            opened = [stage for stage in deal.way if KINDS[stage] == "OPEN"]
            self.model.put(id_, {"Won": "won", "Lost": "lost", "Open": opened[-1] if opened else "new"}[kind])
        elif deal.lost_reason != reason:
            deal.version += 1
        deal.lost_reason = reason

    @rule(who=people, place=places)
    def delete_deal(self, who: str, place: int) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        code = self.model.unowned(who, deal)
        if self.do(who, "deleteDeal", code, dealId=id_) and deal:
            self.model.take(id_)
            deal.deleted, deal.version = True, deal.version + 1

    @rule(who=people, place=places)
    def restore_deal(self, who: str, place: int) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        code = None if self.model.owns(who, deal) else self.model.unowned(who, deal)
        if self.do(who, "restoreDeal", code, dealId=id_) and deal and deal.deleted:
            deal.deleted, deal.version = False, deal.version + 1
            self.model.columns[deal.stage].insert(0, id_)

    @rule(who=people, place=places, to=st.sampled_from([*PEOPLE, None]))
    def assign_deal(self, who: str, place: int, to: str | None) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        code = self.model.unowned(who, deal)
        if code is None and deal and who != ROOT and to != who and deal.owner != to:
            code = "FORBIDDEN"
        owner = str(self.owners[to]) if to else None
        if self.do(who, "assignDeal", code, dealId=id_, ownerId=owner) and deal and deal.owner != to:
            deal.owner, deal.version = to, deal.version + 1

    @rule(who=people, place=places)
    def claim_deal(self, who: str, place: int) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        code = self.model.missing(who, deal)
        if code is None and deal and deal.owner not in (None, who):
            code = "CONFLICT"
        if self.do(who, "claimDeal", code, dealId=id_) and deal and deal.owner is None:
            deal.owner, deal.version = who, deal.version + 1

    @rule(who=people, place=places, is_added=st.booleans(), whom=st.sampled_from(PEOPLE))
    def change_members(self, who: str, place: int, is_added: bool, whom: str) -> None:
        id_ = self.model.pick(place)
        deal = self.model.deals.get(id_)
        whom = BOB if is_added else whom
        code = self.model.missing(who, deal) if not is_added and who == whom else self.model.unowned(who, deal)
        mutation = "addDealMember" if is_added else "removeDealMember"
        if not self.do(who, mutation, code, dealId=id_, ownerId=str(self.owners[whom])) or not deal:
            return
        if whom == BOB and deal.has_bob != is_added and not (is_added and deal.owner == BOB):
            deal.has_bob, deal.version = is_added, deal.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS), name=st.sampled_from(["Ann", "Ben", None]))
    def upsert_contact(self, who: str, email: str, name: str | None) -> None:
        contact = self.model.contacts.get(email)
        is_colleagues = contact is not None and not self.model.changes(who, contact)
        if not self.do(who, "upsertContact", "CONFLICT" if is_colleagues else None, email=email.upper(), fullName=name):
            return
        if contact is None:
            self.model.contacts[email] = Contact(who, name)
        elif contact.name != name:
            contact.name, contact.version = name, contact.version + 1

    @rule(email=st.sampled_from(EMAILS), to=st.sampled_from([*PEOPLE, None]))
    def give_contact_away(self, email: str, to: str | None) -> None:
        contact, owner = self.model.contacts.get(email), str(self.owners[to]) if to else None
        if contact is None:
            return
        code = "NOT_FOUND" if contact.deleted else None
        if self.do(ROOT, "updateContact", code, contactId=self.id_of(email), ownerId=owner) and contact.owner != to:
            contact.owner, contact.version = to, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def delete_contact(self, who: str, email: str) -> None:
        contact = self.model.contacts.get(email)
        code = self.model.unowned(who, contact)
        if contact and self.do(who, "deleteContact", code, contactId=self.id_of(email)):
            contact.deleted, contact.version = True, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def restore_contact(self, who: str, email: str) -> None:
        contact = self.model.contacts.get(email)
        if contact is None:
            return
        code = None if self.model.owns(who, contact) else "NOT_FOUND"
        if self.do(who, "restoreContact", code, contactId=self.id_of(email)) and contact.deleted:
            contact.deleted, contact.version = False, contact.version + 1

    @rule(who=people, email=st.sampled_from(EMAILS))
    def claim_contact(self, who: str, email: str) -> None:
        contact = self.model.contacts.get(email)
        if contact is None:
            return
        code = self.model.unowned(who, contact)
        if code is None and contact.owner not in (None, who):
            code = "CONFLICT"
        if self.do(who, "claimContact", code, contactId=self.id_of(email)) and contact.owner is None:
            self.model.claim(who, email)

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
                mine = self.model.column(who, key)
                assert (columns[key]["deals"]["nodes"], columns[key]["dealCount"]) == (mine, len(mine))
            contacts, known = body["data"]["contacts"], self.model.people(who)
            assert {node["email"]: node for node in contacts["nodes"]} == known
            assert contacts["totalCount"] == len(known)

    @invariant()
    def history_and_ranks_are_in_order(self) -> None:
        async def read() -> tuple[list[Any], list[Any]]:
            async with self.engine.connect() as sql:
                return list(await sql.execute(text(HISTORY))), list(await sql.execute(text(RANKS)))

        moves, ranks = self.runner.run(read())
        for id_, deal in self.model.deals.items():
            history = [move for move in moves if str(move.id) == id_]
            assert [move.new for move in history] == deal.way
            assert [history[0].old, history[-1].present] == [None, deal.stage]
            assert all(b.old == a.new and b.moved_at > a.moved_at for a, b in pairwise(history))
        assert len({tuple(row) for row in ranks}) == len(ranks)


def test_any_sequence_of_calls_leaves_what_the_model_says(admin_url: URL) -> None:
    Crm.url = admin_url
    # Without shrinking: a failure prints its steps, and looking for shorter ones takes minutes.
    only = settings(max_examples=EXAMPLES, stateful_step_count=25, phases=[Phase.generate])
    run_state_machine_as_test(Crm, settings=only)
