"""The owners who send requests and the rows that they request: many, so that no single row decides a figure."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from bench.databases import Database
from crm_graph.identity.tokens import Tokens
from crm_graph.values import utc_now

JWT_SECRET, SIGNING_SECRET = secrets.token_hex(32), secrets.token_hex(32)  # of this run's servers
OWNERS = 20
WORDS = ("bakery", "royal energy", "ada", "fischer", "renewal", "keen foods", "silva", "pilot")

SAMPLES = """
SELECT owner_id, (array_agg(id ORDER BY activities DESC, id))[1] AS busy_deal,
       (SELECT id FROM pipeline_stages WHERE kind = 'open' ORDER BY md5(owner_id::text || id::text) LIMIT 1) AS stage
FROM (SELECT deals.owner_id, deals.id, (SELECT count(*) FROM activities WHERE deal_id = deals.id) AS activities
      FROM deals JOIN (SELECT id FROM owners ORDER BY id LIMIT %s) AS chosen ON chosen.id = owner_id) AS counted
GROUP BY owner_id ORDER BY owner_id
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A user and the rows that they read: a deal with 100 activities, an open stage, a search text."""

    owner_id: str
    token: str
    deal_id: str
    stage_id: str
    text: str


def draw(database: Database) -> list[Sample]:
    """The same users and rows for every contestant."""
    with database.connect() as connection:
        rows = connection.execute(SAMPLES, [OWNERS]).fetchall()
    return [
        Sample(str(owner), _token(str(owner)), str(deal), str(stage), WORDS[number % len(WORDS)])
        for number, (owner, deal, stage) in enumerate(rows)
    ]


def _token(owner_id: str) -> str:
    return Tokens(JWT_SECRET.encode()).issue(owner_id, timedelta(hours=12), utc_now())
