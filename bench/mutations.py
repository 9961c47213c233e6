"""The writes: the requests for each, and the rows that each one must store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bench import n8n
from bench.postings import FRESH, Posting
from bench.samples import SIGNING_SECRET
from bench.targets import WriteTarget

WRITES = {
    "move": "a deal to another stage, on top of the column: history, timeline entry, idempotency key",
    "upsert": "a known contact by its address: another title, timeline entry, idempotency key",
    "ingest": "a signed reply of a known contact with an open deal: stored, classified, on the timeline",
}
REPLY_PATH = "/crm/webhooks/instantly/reply"

# For each write, SQL expressions that count what a request adds to.
EFFECTS = {
    "move": {
        "moves": "(SELECT count(*) FROM deal_stage_history)",
        "entries": "(SELECT count(*) FROM activities)",
        "versions": "(SELECT sum(version) FROM deals)",
        "keys": "(SELECT count(*) FROM idempotency_keys)",
    },
    "upsert": {
        "entries": "(SELECT count(*) FROM activities)",
        "versions": "(SELECT sum(version) FROM contacts)",
        "keys": "(SELECT count(*) FROM idempotency_keys)",
    },
    "ingest": {
        "events": "(SELECT count(*) FROM webhooks_log WHERE status = 'processed')",
        "entries": "(SELECT count(*) FROM activities)",
    },
}

MOVE = """mutation Move($input: MoveDealStageInput!) {
  moveDealStage(input: $input) { deal { id status version stage { id key name } } }
}"""
UPSERT = """mutation Upsert($input: UpsertContactInput!) {
  upsertContact(input: $input) { contact { id email fullName title version company { id name domain } } }
}"""
PG_MOVE = """mutation Move($input: BenchMoveDealStageInput!) {
  benchMoveDealStage(input: $input) {
    result { rowId status version pipelineStageByPipelineIdAndStageIdAndStatus { rowId key name } }
  }
}"""
PG_UPSERT = """mutation Upsert($input: BenchUpsertContactInput!) {
  benchUpsertContact(input: $input) {
    result { rowId email fullName title version companyByCompanyId { rowId name domain } }
  }
}"""


def _graphql(document: str, target: WriteTarget, **values: Any) -> Posting:
    return Posting(json.dumps({"query": document, "variables": {"input": values}}), token=target.token)


def _move(target: WriteTarget) -> Posting:
    return _graphql(MOVE, target, dealId=target.deal, stageId=target.other_stage, idempotencyKey=FRESH)


def _pg_move(target: WriteTarget) -> Posting:
    places = {"movedDeal": target.deal, "toStage": target.other_stage}
    return _graphql(PG_MOVE, target, caller=target.owner, **places, callKey=FRESH)


def _upsert(target: WriteTarget) -> Posting:
    return _graphql(UPSERT, target, email=target.email, title=f"Head of {FRESH}", idempotencyKey=FRESH)


def _pg_upsert(target: WriteTarget) -> Posting:
    values = {"address": target.email, "newTitle": f"Head of {FRESH}"}
    return _graphql(PG_UPSERT, target, caller=target.owner, **values, callKey=FRESH)


def _reply(target: WriteTarget) -> Posting:
    event = {
        "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z",
        "event_type": "reply_received",
        "campaign_id": "4ea94d08-5e9f-4d39-8e1b-0090ce895b82",
        "campaign_name": "Q1 Outbound",
        "email_account": target.owner_email,
        "is_first": True,
        "lead_email": target.email,
        "email": target.email,
        "firstName": target.first_name,
        "lastName": target.last_name,
        "step": 1,
        "variant": 1,
        "email_id": f"019ab465-{FRESH}",
        "reply_subject": "Re: Your thoughts?",
        "reply_text": "Yes please, thanks!\n\nOn Mon, Jan 5, 2026 Max wrote:\n> Any thoughts?",
    }
    return Posting(json.dumps(event), path=REPLY_PATH, secret=SIGNING_SECRET)


def _n8n_reply(target: WriteTarget) -> Posting:
    return replace(_reply(target), path=n8n.PATH)


MakePosting: TypeAlias = Callable[[WriteTarget], Posting]
POSTINGS: dict[str, dict[str, MakePosting]] = {
    "ours": {"move": _move, "upsert": _upsert, "ingest": _reply},
    "postgraphile": {"move": _pg_move, "upsert": _pg_upsert},
    "n8n": {"ingest": _n8n_reply},
}


def there_and_back(make: MakePosting, targets: Sequence[WriteTarget]) -> list[Posting]:
    """Move each deal to its other stage, then each one back, so that every request moves a deal."""
    return [make(target) for target in (*targets, *map(moved, targets))]


def moved(target: WriteTarget) -> WriteTarget:
    """The same target after its deal was moved."""
    return replace(target, stage=target.other_stage, other_stage=target.stage)


def expected_in_response(work: str, target: WriteTarget) -> list[str]:
    """The texts that the response to a mutation must contain."""
    return {"move": [target.deal, target.other_stage], "upsert": [target.email], "ingest": []}[work]
