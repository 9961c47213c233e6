"""The data set, which is always the same for the same size.

An owner has about 1,000 deals, a contact two, a company twenty. One contact in a hundred is unassigned, with its deals.
Rows are generated inside the database, and every number in them comes from a hash of the row's number.
"""

from dataclasses import dataclass

import psycopg

DEALS_PER_OWNER, DEALS_PER_CONTACT, DEALS_PER_COMPANY = 1_000, 2, 20
BUSY_ACTIVITIES = 100  # of one deal in a hundred; the others have 0 to 4


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a data set. All numbers follow from the number of deals."""

    deals: int

    @property
    def owners(self) -> int:
        return max(1, self.deals // DEALS_PER_OWNER)

    @property
    def contacts(self) -> int:
        return self.deals // DEALS_PER_CONTACT

    @property
    def companies(self) -> int:
        return self.deals // DEALS_PER_COMPANY


FIRST_NAMES = "Ada Alan Ana Ben Carla Deniz Elif Emma Femi Grace Hana Ivan Jane Kaan Lena Mike Nora Omar Paul Zoe"
LAST_NAMES = "Adams Berg Costa Demir Evans Fischer Garcia Hansen Ito Jones Kaya Lopez Moore Nagy Okafor Patel Roe Silva"
ADJECTIVES = "Amber Bright Clear Delta Early Fresh Grand Happy Iron Jade Keen Lunar Metro Noble Ocean Prime Quick Royal"
NOUNS = (
    "Analytics Bakery Cargo Dental Energy Foods Gardens Health Interiors Journeys Kitchens Labs Media Networks Optics"
)
SUFFIXES = "AB GmbH Inc LLC Ltd SA"
JOB_TITLES = "CEO,CTO,Head of Sales,VP Marketing,Operations Manager,Buyer,Founder,Head of Growth"
PRODUCTS = "pilot,rollout,renewal,expansion,annual plan,onboarding,migration,trial"
MESSAGES = (
    "Thanks for reaching out. What does it cost for a team of ours?,Could we talk on Thursday afternoon?,"
    "Sent the proposal and the price list.,Called; they want to see the integration first.,"
    "Not now. Please ask again after the summer.,Asked for references from their industry."
)
TYPES = "email_in,email_out,note,call,meeting"
REPLIES = "interested,question,neutral,not_interested,out_of_office"
ADMIN = "admin@seller.example"
EVENT_TABLES = ("contacts", "deals", "activities")  # their triggers write events
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CURRENCIES = "EUR,USD,GBP,TRY"
STAGE_WEIGHTS = (25, 20, 15, 12, 8, 8, 12)  # in percent, in board order


def seed(connection: psycopg.Connection, size: Size) -> None:
    """Fill an empty, migrated database, then vacuum it and update its statistics. Writes no events."""
    for table in EVENT_TABLES:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in (OWNERS, COMPANIES, CONTACTS, DEALS, ACTIVITIES, HISTORY):
        connection.execute(statement.format(size=size))
    for table in EVENT_TABLES:
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("CHECKPOINT")


def _hash(number: str, salt: int, below: str) -> str:
    """A number of at least 0 that looks random but is always the same."""
    return f"mod(hashint8extended({number}, {salt}) & 9223372036854775807, {below})"


def _pick(texts: str, number: str, salt: int, separator: str = " ") -> str:
    items = [item.replace("'", "''") for item in texts.split(separator)]
    listed = ", ".join(f"'{item}'" for item in items)
    return f"(ARRAY[{listed}])[1 + {_hash(number, salt, str(len(items)))}]"


def _id(kind: str, number: str) -> str:
    """An id; ids are scattered like the random ones of production."""
    return f"md5('{kind}' || {number})::uuid"


def _stage(number: str) -> str:
    place = _hash(number, 31, "100")
    limits = [sum(STAGE_WEIGHTS[: n + 1]) for n in range(len(STAGE_WEIGHTS))]
    whens = " ".join(f"WHEN {place} < {limit} THEN {n + 1}" for n, limit in enumerate(limits))
    return f"CASE {whens} END"


# A contact's owner and company follow from its number, so that deals need no join to find them.
OWNER_NUMBER = f"(1 + {_hash('c', 12, '{size.owners}')})"
CONTACT_OWNER = f"CASE WHEN {_hash('c', 11, '100')} > 0 THEN {_id('owner', OWNER_NUMBER)} END"
CONTACT_COMPANY = f"(1 + {_hash('c', 13, '{size.companies}')})"
COMPANY_NAME = f"{_pick(ADJECTIVES, 'k', 21)} || ' ' || {_pick(NOUNS, 'k', 22)}"
CREATED = "timestamptz '2024-01-01 08:00Z' + interval '2 years' * (i::float8 / {size.deals})"

# A rank is a key of fractional-indexing: `d` and four base-62 digits.
PLACE = _hash("i", 40, str(62**4))
RANK = "'d' || " + " || ".join(f"substr('{DIGITS}', ({PLACE} / {62**n} % 62)::int + 1, 1)" for n in (3, 2, 1, 0))

OWNERS = f"""
INSERT INTO owners (id, name, email, role, created_at)
SELECT {_id("owner", "i")}, {_pick(FIRST_NAMES, "i", 1)} || ' ' || {_pick(LAST_NAMES, "i", 2)},
       'owner' || i || '@seller.example', 'sales', timestamptz '2024-01-01 08:00Z'
FROM generate_series(1::bigint, {{size.owners}}) AS i
UNION ALL
SELECT {_id("owner", "0")}, 'The Admin', '{ADMIN}', 'admin', timestamptz '2024-01-01 08:00Z'
"""
COMPANIES = f"""
INSERT INTO companies (id, name, name_key, domain, industry, size, location, created_at, updated_at)
SELECT {_id("company", "k")}, name, lower(name), replace(lower({COMPANY_NAME}), ' ', '-') || k || '.example',
       {_pick(NOUNS, "k", 22)}, '11-50', 'Izmir', timestamptz '2024-01-01 08:00Z', timestamptz '2024-01-01 08:00Z'
FROM generate_series(1::bigint, {{size.companies}}) AS k,
     LATERAL (SELECT {COMPANY_NAME} || ' ' || {_pick(SUFFIXES, "k", 23)} AS name) AS named
"""
CONTACTS = f"""
INSERT INTO contacts (id, email, full_name, title, phone, company_id, owner_id, owner_source, lifecycle_stage,
                      reply_status, reply_status_source, reply_status_at, reply_summary, created_at, updated_at)
SELECT {_id("contact", "c")}, lower(first || '.' || last) || c || '@' || domain, first || ' ' || last,
       {_pick(JOB_TITLES, "c", 16, ",")}, '+90 555 ' || lpad(c::text, 7, '0'), companies.id, owner,
       CASE WHEN owner IS NOT NULL THEN 'mailbox' END, 'lead', reply, CASE WHEN reply IS NOT NULL THEN 'rules' END,
       CASE WHEN reply IS NOT NULL THEN made + interval '3 days' END,
       CASE WHEN reply IS NOT NULL THEN {_pick(MESSAGES, "c", 18, ",")} END, made, made + interval '3 days'
FROM generate_series(1::bigint, {{size.contacts}}) AS c,
     LATERAL (SELECT {_pick(FIRST_NAMES, "c", 14)} AS first, {_pick(LAST_NAMES, "c", 15)} AS last,
                     {CONTACT_OWNER} AS owner,
                     CASE WHEN {_hash("c", 17, "10")} < 7 THEN {_pick(REPLIES, "c", 19, ",")} END AS reply,
                     timestamptz '2024-01-01 08:00Z' + interval '2 years' * (c::float8 / {{size.contacts}}) AS made
             ) AS drawn,
     companies
WHERE companies.id = {_id("company", CONTACT_COMPANY)}
"""
DEALS = f"""
INSERT INTO deals (id, title, contact_id, company_id, pipeline_id, stage_id, owner_id, amount, currency, close_date,
                   status, lost_reason, source, rank, created_at, updated_at)
SELECT {_id("deal", "i")}, companies.name || ' ' || {_pick(PRODUCTS, "i", 32, ",")}, {_id("contact", "c")},
       CASE WHEN {_hash("i", 33, "10")} > 0 THEN companies.id END, pipeline_id, stages.id, {CONTACT_OWNER},
       CASE WHEN {_hash("i", 34, "10")} > 0 THEN (500 + {_hash("i", 35, "9000000")} / 100.0)::numeric(14, 2) END,
       {_pick(CURRENCIES, "i", 36, ",")},
       CASE WHEN {_hash("i", 37, "10")} > 1 THEN (made + interval '60 days')::date END,
       stages.kind, CASE WHEN stages.kind = 'lost' THEN 'no budget' END, 'instantly', rank,
       made, made + interval '1 hour' * {_hash("i", 38, "700")}
FROM generate_series(1::bigint, {{size.deals}}) AS i,
     LATERAL (SELECT 1 + {_hash("i", 39, "{size.contacts}")} AS c, {CREATED} AS made, {_stage("i")} AS place,
                     {RANK} AS rank
             ) AS drawn,
     (SELECT pipeline_stages.*, row_number() OVER (ORDER BY order_index) AS number
      FROM pipeline_stages JOIN pipelines ON pipelines.id = pipeline_id AND is_default) AS stages,
     companies
WHERE number = place AND companies.id = {_id("company", CONTACT_COMPANY)}
ORDER BY i
"""
CAMPAIGN = f"""jsonb_build_object(
           'campaign_id', 'campaign-' || {_hash("i", 45, "20")}, 'campaign_name', 'Campaign ' || {_hash("i", 45, "20")},
           'step', 1 + {_hash("i", 46, "3")}, 'variant', {_hash("i", 47, "2")},
           'email_account', 'sender' || {_hash("i", 48, "10")} || '@seller.example')"""
ACTIVITIES = f"""
INSERT INTO activities (id, type, contact_id, deal_id, content, meta_json, created_by, occurred_at, created_at)
SELECT {_id("activity", "(i || '.' || n)")}, type, deals.contact_id, deals.id,
       {_pick(MESSAGES, "(i * 128 + n)", 42, ",")},
       CASE WHEN type LIKE 'email%' THEN {CAMPAIGN}
            WHEN type = 'meeting' THEN '{{{{"arranges": true}}}}' ELSE '{{{{}}}}' END,
       CASE WHEN type <> 'email_in' THEN deals.owner_id END, at, at
FROM generate_series(1::bigint, {{size.deals}}) AS i
JOIN deals ON deals.id = {_id("deal", "i")},
     LATERAL generate_series(1, CASE WHEN {_hash("i", 43, "100")} = 0 THEN {BUSY_ACTIVITIES}
                                     ELSE {_hash("i", 44, "5")} END) AS n,
     LATERAL (SELECT {_pick(TYPES, "(i * 128 + n)", 41, ",")} AS type, deals.created_at + interval '7 hours' * n AS at
             ) AS drawn
"""
# A deal passes every open stage up to its own; a lost one is lost after the second.
HISTORY = f"""
INSERT INTO deal_stage_history (id, deal_id, from_stage_id, to_stage_id, moved_at, moved_by, source)
SELECT {_id("move", "(deal_id::text || place)")}, deal_id, lag(stage_id) OVER way, stage_id,
       created_at + (updated_at - created_at) * (row_number() OVER way - 1)
                  / greatest(count(*) OVER (PARTITION BY deal_id) - 1, 1), owner_id, 'graphql'
FROM (SELECT deals.id AS deal_id, passed.id AS stage_id, passed.order_index AS place, deals.owner_id, deals.created_at,
             deals.updated_at
      FROM deals
      JOIN pipeline_stages AS present ON present.id = deals.stage_id
      JOIN pipeline_stages AS passed ON passed.pipeline_id = deals.pipeline_id AND (passed.id = present.id
           OR passed.kind = 'open' AND passed.order_index < CASE present.kind WHEN 'lost' THEN 3
                                                            ELSE present.order_index END)) AS moves
WINDOW way AS (PARTITION BY deal_id ORDER BY place)
"""
