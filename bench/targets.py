"""The targets of writes: open deals of many owners, each with its own contact and a stage to move to."""

from dataclasses import dataclass

from bench.databases import Database
from bench.samples import draw

DEALS_EACH = 40

TARGETS = """
SELECT deals.owner_id, owners.email, deals.id, deals.stage_id, other.id, contacts.id, contacts.email,
       split_part(contacts.full_name, ' ', 1), split_part(contacts.full_name, ' ', 2)
FROM unnest(%(owners)s::uuid[]) AS chosen (id)
JOIN owners ON owners.id = chosen.id
CROSS JOIN LATERAL (
    SELECT *, row_number() OVER (ORDER BY id) AS place
    FROM (SELECT DISTINCT ON (contact_id) * FROM deals
          WHERE owner_id = owners.id AND status = 'open' AND deleted_at IS NULL ORDER BY contact_id, id) AS one_of_each
    ORDER BY id LIMIT %(each)s
) AS deals
JOIN contacts ON contacts.id = deals.contact_id AND contacts.owner_id = owners.id
CROSS JOIN LATERAL (
    SELECT id FROM pipeline_stages
    WHERE pipeline_id = deals.pipeline_id AND kind = 'open' AND id <> deals.stage_id
    ORDER BY md5(deals.id::text || id::text) LIMIT 1
) AS other
ORDER BY place, owner_id
"""


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """A deal with its present stage, another open stage, its contact and its owner."""

    owner: str
    owner_email: str
    token: str
    deal: str
    stage: str
    other_stage: str
    contact: str
    email: str
    first_name: str
    last_name: str


def draw_targets(database: Database) -> list[WriteTarget]:
    """Draw the same deals every time, even after some have moved."""
    tokens = {sample.owner_id: sample.token for sample in draw(database)}
    with database.connect() as connection:
        rows = connection.execute(TARGETS, {"owners": list(tokens), "each": DEALS_EACH}).fetchall()
    return [
        WriteTarget(
            str(owner), owner_email, tokens[str(owner)], str(deal), str(stage), str(other), str(contact), *person
        )
        for owner, owner_email, deal, stage, other, contact, *person in rows
    ]
