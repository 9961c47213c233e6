"""A team with rows of every kind, the same in every run, made before there is a database; and who may see which."""

import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph import models
from crm_graph.models import ActivityType, DealStatus, DeliveryStatus, EventType, Role, StageKind, WebhookStatus, table
from tests.support.factories import ADA, BOB, READER, ROOT, START, Row

WHO = (ADA, BOB, ROOT, READER)
ROLES = {ADA: Role.SALES, BOB: Role.SALES, ROOT: Role.ADMIN, READER: Role.READONLY}
DOCUMENTS: tuple[Row, ...] = (
    {},
    {"plan": "Pro", "seats": 12, "quota": 0.1, "sure": None, "is_new": False, "tags": ["a", ["b", {"c": []}]]},
    {"şehir": "İstanbul \U0001f600", "": '\u2028 \x7f " \\ / <b>', "long": "x" * 300, "nested": {"a": {"b": {}}}},
    {"big": 9_007_199_254_740_993, "bigger": -(2**63), "tiny": 1e-300, "exact": 0.1234567890123456, "zero": -0.0},
)
KINDS = (("new", StageKind.OPEN), ("talking", StageKind.OPEN), ("won", StageKind.WON), ("lost", StageKind.LOST))
UNIQUE = {"id": str, "email": str, "title": str, "content": str, "source": str}  # by which a row is known in an answer


class QueryData:
    """Rows as they are stored, but for the deals of the default pipeline, whose stages only the database knows."""

    def __init__(self) -> None:
        self._rng = random.Random(20260105)  # the one seed of everything
        self.owner = {who: self._id() for who in WHO}
        self.sides = (self.owner[ADA], self.owner[BOB], None)
        self.companies = [self._company(i) for i in range(3)]
        self.pipeline: Row = {"id": self._id(), "name": "Aşamalar", "is_default": False}
        self.stages = [self._stage(i) for i in range(len(KINDS))]
        self.contacts = [self._contact(i, self.sides[i % 3]) for i in range(15)]
        self.deals = [self._deal(i, self.sides[i % 3]) for i in range(24)]
        self.activities = [self._activity(i) for i in range(40)]
        self.moves = [move for deal in self.deals for move in self._moves(deal)]
        self.webhooks = [self._webhook(i) for i in range(8)]
        self.endpoints = [self._endpoint(i, who) for i, who in enumerate(WHO * 2)]
        self.events = [self._event(i) for i in range(10)]
        self.deliveries = [
            self._delivery(endpoint, event) for endpoint in self.endpoints for event in self._rng.sample(self.events, 4)
        ]
        self.attempts = [self._attempt(delivery) for delivery in self.deliveries for _ in range(self._rng.randrange(3))]

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self._rng.getrandbits(128), version=4)

    def _maybe(self, *values: Any) -> Any:
        return self._rng.choice((None, *values))

    def _one(self, rows: list[Row]) -> Any:
        return self._rng.choice(rows)["id"]

    def _time(self) -> datetime:
        """Some rows have the same time; some times have microseconds."""
        return START + timedelta(hours=self._rng.randrange(8), microseconds=self._rng.choice((0, 0, 1, 120_000)))

    def _company(self, i: int) -> Row:
        name = ("Açaí & Söhne", "Crème Brûlée S.à r.l.", "İstanbul Ağ")[i]
        domain = ("acme.example", "xn--crme-6oa.example", None)[i]
        shared = {"location": self._maybe("Zürich"), "size": self._maybe("11-50"), "industry": self._maybe("Müzik")}
        at = {"created_at": self._time(), "updated_at": self._time(), "enrichment_json": DOCUMENTS[i]}
        return {"id": self._id(), "name": name, "name_key": name.lower(), "domain": domain} | shared | at

    def _stage(self, i: int) -> Row:
        key, kind = KINDS[i]
        place = {"pipeline_id": self.pipeline["id"], "order_index": i, "probability": (0.1, 0.333, 1, 0)[i]}
        return {"id": self._id(), "key": key, "name": key.title(), "kind": kind} | place

    def _contact(self, i: int, owner: Any) -> Row:
        place = {"company_id": self._maybe(*(row["id"] for row in self.companies)), "owner_id": owner}
        reply = {
            "reply_status": self._maybe(*models.ReplyStatus),
            "reply_summary": self._maybe('asks: "how much?"\nand when'),
            "reply_status_source": self._maybe(*models.ReplyStatusSource),
            "reply_status_at": self._maybe(self._time()),
            "needs_review": self._rng.random() < 0.5,
            "ooo_until": self._maybe(date(2026, 2, 28)),
            "do_not_contact_at": self._maybe(self._time()),
        }
        known = {"title": self._maybe("Köchin", "CEO"), "phone": self._maybe("+90 212 000"), "owner_source": None}
        name = self._maybe("Zoë Núñez", "Ağca İpek", "O'Brien %_\\")
        at = {"created_at": self._time(), "updated_at": self._time(), "deleted_at": START if i in (6, 7, 8) else None}
        row = {
            "id": self._id(),
            "email": f"lead{i}@acme.example",
            "full_name": name,
            "custom": self._rng.choice(DOCUMENTS),
        }
        return row | place | reply | known | at | {"lifecycle_stage": self._rng.choice([*models.LifecycleStage])}

    def _deal(self, i: int, owner: Any) -> Row:
        stage = self._rng.choice(self.stages)
        status = DealStatus(stage["kind"].value)
        links = {"contact_id": self._maybe(*(row["id"] for row in self.contacts)), "owner_id": owner}
        links["company_id"] = self._maybe(*(row["id"] for row in self.companies))
        money = {
            "amount": self._maybe("0", "0.50", "1200", "99999999999.99"),
            "close_date": self._maybe(date(2026, 3, 1)),
        }
        money["currency"] = self._rng.choice(("USD", "EUR", "JPY"))
        said = {"lost_reason": "too dear" if status is DealStatus.LOST else None, "notes": self._maybe("çok\tiyi")}
        said |= {"source": self._maybe("calcom"), "campaign_id": self._maybe("c-1", "c-2")}
        place = {"pipeline_id": self.pipeline["id"], "stage_id": stage["id"], "rank": f"a{self._rng.randrange(4)}"}
        at = {"created_at": self._time(), "updated_at": self._time(), "deleted_at": START if i in (9, 10, 11) else None}
        return {"id": self._id(), "title": f"Anlaşma {i}", "status": status} | links | money | said | place | at

    def _activity(self, i: int) -> Row:
        ids = {"contact_id": self._one(self.contacts), "deal_id": self._one(self.deals)}
        ids["company_id"] = self._one(self.companies)
        about = self._rng.choice((["contact_id"], ["deal_id"], ["company_id"], ["contact_id", "deal_id"], [*ids]))
        links = {name: id_ if name in about else None for name, id_ in ids.items()}
        said = {"content": f"note {i} \U0001f44d", "meta_json": self._rng.choice(DOCUMENTS)}
        said |= {"type": self._rng.choice([*ActivityType]), "created_by": self._maybe(*self.owner.values())}
        to_do = {"due_at": self._maybe(self._time()), "completed_at": self._maybe(self._time())}
        to_do["assignee_id"] = self._maybe(*self.owner.values())
        task = to_do if said["type"] is ActivityType.TASK else dict.fromkeys(to_do)
        return {"id": self._id(), "occurred_at": self._time(), "created_at": self._time()} | links | said | task

    def _moves(self, deal: Row) -> Iterator[Row]:
        before = None
        for i in range(1 + self._rng.randrange(3)):
            after = self._one(self.stages)
            stages = {"from_stage_id": before, "to_stage_id": after, "moved_by": self._maybe(*self.owner.values())}
            yield {
                "id": self._id(),
                "deal_id": deal["id"],
                "moved_at": self._time(),
                "source": f"{deal['title']}/{i}",
            } | stages
            before = after

    def _webhook(self, i: int) -> Row:
        body = json.dumps(DOCUMENTS[i % 4], ensure_ascii=i % 2 == 0).encode()
        status = [*WebhookStatus][i % 5]
        links = {"contact_id": self._maybe(self._one(self.contacts)), "deal_id": self._maybe(self._one(self.deals))}
        keys = {"dedupe_key": hashlib.sha256(b"%d" % i).hexdigest(), "idempotency_key": self._maybe(f"key {i}")}
        what = {"source": "instantly", "event_type": "reply_received", "body": body, "error": self._maybe("öops")}
        at = {"received_at": self._time(), "processed_at": self._maybe(START.astimezone(UTC)), "attempts": i}
        return {"id": self._id(), "status": status} | keys | what | links | at

    def _endpoint(self, i: int, who: str) -> Row:
        off = {"disabled_at": self._time(), "disabled_reason": "it answered 410 Gone"}
        state = off if i % 3 == 2 else dict.fromkeys(off)
        state |= {"failures": i, "failing_since": self._maybe(self._time()), "retry_at": self._maybe(self._time())}
        sent = {"event_types": [*EventType][:i], "headers": self._rng.choice(({}, {"x-b": "1", "authorization": "2"}))}
        at = {"created_at": self._time(), "updated_at": self._time()}
        what = {"url": f"https://hooks.example/{i}", "secret": "whsec_never"}
        return {"id": self._id(), "owner_id": self.owner[who]} | what | state | sent | at

    def _event(self, i: int) -> Row:
        parts: Row = {name: {"owner_id": str(self._rng.choice(self.sides[:2]))} for name in ("deal", "contact")}
        data = parts | {"stage": DOCUMENTS[i % 4], "owner": None, "changes": {"title": {"old": "a", "new": "b"}}}
        payload = {"id": f"{i}", "data": self._rng.choice((data, {}, dict(reversed(data.items()))))}
        what = {"type": [*EventType][i], "source": f"source {i}", "owner_ids": [], "payload": payload}
        return {"id": self._id(), "occurred_at": self._time(), "created_at": self._time()} | what

    def _delivery(self, endpoint: Row, event: Row) -> Row:
        ids = {"id": self._id(), "endpoint_id": endpoint["id"], "event_id": event["id"], "position": 1}
        state = {"status": self._rng.choice([*DeliveryStatus]), "attempts": 2, "settled_at": self._maybe(self._time())}
        return ids | state | {"due_at": self._time(), "created_at": self._time()}

    def _attempt(self, delivery: Row) -> Row:
        said = {"status_code": self._maybe(200, 500), "answer": self._maybe("<ö>"), "error": self._maybe("no answer")}
        at = {"attempted_at": self._time(), "duration_ms": self._rng.randrange(15_000)}
        return {"id": self._id(), "delivery_id": delivery["id"]} | at | said

    async def store(self, sql: AsyncConnection) -> None:
        """Into a database that has nothing but its default pipeline."""
        owners = [
            {"id": id_, "name": who[:4].title(), "email": who, "role": ROLES[who]} for who, id_ in self.owner.items()
        ]
        await _insert(sql, models.Owner, owners)
        boxes = [{"email": f"{i}.{who}", "owner_id": self.owner[who]} for who in (ADA, BOB) for i in range(2)]
        await _insert(sql, models.OwnerMailbox, boxes)
        for model, rows in (
            (models.Company, self.companies),
            (models.Pipeline, [self.pipeline]),
            (models.PipelineStage, self.stages),
            (models.Contact, self.contacts),
            (models.Deal, self.deals),
            (models.DealStageHistory, self.moves),
            (models.Activity, self.activities),
            (models.WebhookLog, self.webhooks),
        ):
            await _insert(sql, model, rows)
        await _insert(sql, models.ContactEmail, [{"email": "alias@acme.example", "contact_id": self.contacts[0]["id"]}])
        default = (
            "SELECT s.id, s.pipeline_id FROM pipeline_stages s JOIN pipelines p ON p.id = pipeline_id AND is_default"
        )
        place = f"({default} AND s.kind = deals.status LIMIT 1)"
        moved = f"UPDATE deals SET (stage_id, pipeline_id) = {place} WHERE currency = 'EUR'"
        await sql.execute(text(moved.replace("AND s.kind", "WHERE s.kind")))
        # Last, so that nothing above is sent to them.
        await _insert(sql, models.WebhookEndpoint, self.endpoints)
        await _insert(sql, models.Event, self.events)
        await _insert(sql, models.WebhookDelivery, self.deliveries)
        await _insert(sql, models.WebhookAttempt, self.attempts)

    async def remove(self, sql: AsyncConnection) -> None:
        """What is left when every other table is empty."""
        await sql.execute(text("DELETE FROM pipeline_stages WHERE pipeline_id = :id"), {"id": self.pipeline["id"]})
        await sql.execute(text("DELETE FROM pipelines WHERE id = :id"), {"id": self.pipeline["id"]})

    def seen_by(self, who: str) -> dict[str, list[Row]]:
        """The rows that a caller may see, by GraphQL type: by the plainest code there is."""
        everything = ROLES[who] is not Role.SALES

        def mine(row: Row) -> bool:
            return row["deleted_at"] is None and (everything or row["owner_id"] in (None, self.owner[who]))

        is_admin, me = ROLES[who] is Role.ADMIN, self.owner[who]
        endpoints = [row for row in self.endpoints if is_admin or row["owner_id"] == me]
        sent_to = {row["id"] for row in endpoints}
        deliveries = [row for row in self.deliveries if row["endpoint_id"] in sent_to]
        sent = {row[name] for row in deliveries for name in ("id", "event_id")}
        contacts, deals = list(filter(mine, self.contacts)), list(filter(mine, self.deals))
        ids = {row["id"] for row in contacts + deals}
        return {
            "Contact": contacts,
            "Deal": deals,
            "Activity": [
                row
                for row in self.activities
                if everything
                or ids & {row["contact_id"], row["deal_id"]}
                or row["contact_id"] is row["deal_id"] is None
            ],
            "StageMove": [row for row in self.moves if everything or row["deal_id"] in ids],
            "Webhook": self.webhooks if is_admin else [],
            "WebhookEndpoint": endpoints,
            "WebhookDelivery": deliveries,
            "WebhookAttempt": [row for row in self.attempts if row["delivery_id"] in sent],
            "Event": [row for row in self.events if row["id"] in sent],
        }


async def _insert(sql: AsyncConnection, model: type[SQLModel], rows: list[Row]) -> None:
    await sql.execute(insert(table(model)), rows)


QUERY_DATA = QueryData()
