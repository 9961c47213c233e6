"""Rows as each revision of the schema can hold them: what an installation of that time has when it is upgraded."""

from typing import Any

import psycopg

OWNER = "00000000-0000-4000-8000-000000000001"
COMPANY = "00000000-0000-4000-8000-000000000002"
CONTACT = "00000000-0000-4000-8000-000000000003"
OTHER_CONTACT = "00000000-0000-4000-8000-000000000004"
DEAL = "00000000-0000-4000-8000-000000000005"
WON_DEAL = "00000000-0000-4000-8000-000000000006"
EVENT = "00000000-0000-4000-8000-000000000007"
ENDPOINT = "00000000-0000-4000-8000-000000000008"

# By the revision that made room for them; what is missing added no tables or columns to fill.
ROWS = {
    "001": f"""
        INSERT INTO owners (id, name, email, role, is_default)
        VALUES ('{OWNER}', 'Ada', 'ada@seller.com', 'admin', true);
        INSERT INTO owner_mailboxes (email, owner_id) VALUES ('ada@outreach.example', '{OWNER}');
        INSERT INTO companies (id, name, name_key, domain, enrichment_json)
        VALUES ('{COMPANY}', 'Öz İnşaat', 'oz insaat', 'oz.example', '{{"employees": 40}}');
        INSERT INTO contacts (id, email, full_name, company_id, owner_id, owner_source, reply_status, custom)
        VALUES ('{CONTACT}', 'ayse@oz.example', 'Ayşe Öz', '{COMPANY}', '{OWNER}', 'mailbox', 'interested',
            '{{"score": 7.50}}'), ('{OTHER_CONTACT}', 'pool@oz.example', NULL, NULL, NULL, NULL, NULL, '{{}}');
        INSERT INTO contact_emails (email, contact_id) VALUES ('ayse.oz@oz.example', '{CONTACT}');
        INSERT INTO deals (id, title, contact_id, company_id, pipeline_id, stage_id, owner_id, amount, currency,
            status, rank)
        SELECT CASE key WHEN 'won' THEN '{WON_DEAL}' ELSE '{DEAL}' END::uuid, key || ' deal', '{CONTACT}',
            '{COMPANY}', pipeline_id, id, '{OWNER}', 1200.50, 'TRY', kind, 'a0'
        FROM pipeline_stages WHERE key IN ('contacted', 'won');
        INSERT INTO deal_stage_history (deal_id, to_stage_id, moved_at, source)
        SELECT id, stage_id, '2026-01-05 09:00+00', 'instantly' FROM deals;
        INSERT INTO activities (type, contact_id, deal_id, content, meta_json, occurred_at, effect_key)
        VALUES ('email_in', '{CONTACT}', '{DEAL}', 'Evet, ilgileniyorum',
                '{{"campaign_id": "c1", "step": 2, "email_account": "ada@outreach.example"}}', '2026-01-05 10:00+00',
                'reply:1'),
            ('task', '{CONTACT}', NULL, 'Call back', '{{}}', '2026-01-06 10:00+00', NULL);
        INSERT INTO webhooks_log (source, event_type, dedupe_key, body, status, received_at, contact_id, deal_id)
        VALUES ('instantly', 'reply_received', 'd1', '\\x7b7d', 'processed', '2026-01-05 10:00+00', '{CONTACT}',
                '{DEAL}'),
            ('calcom', 'BOOKING_CREATED', 'd2', '\\x7b7d', 'error', '2026-01-05 11:00+00', NULL, NULL);
    """,
    "004": f"""
        INSERT INTO contacts (email, deleted_at, merged_into_id) VALUES ('old@oz.example', now(), '{CONTACT}');
        INSERT INTO activities (type, company_id, content, occurred_at, due_at, assignee_id)
        VALUES ('task', '{COMPANY}', 'Send the offer', now(), now(), '{OWNER}');
        INSERT INTO reply_verdicts (contact_id, source, status, confidence, judged_by, judged_at)
        VALUES ('{CONTACT}', 'person', 'interested', 0.9, '{OWNER}', now());
        INSERT INTO idempotency_keys (owner_id, operation, key, request_hash, result, created_at)
        VALUES ('{OWNER}', 'createDeal', 'k1', '\\x00', '{{}}', now());
        INSERT INTO suppressions (address_hmac, suppressed_at) VALUES (crm_address_hmac('erased@oz.example'), now());
    """,
    "006": f"""
        INSERT INTO webhook_endpoints (id, owner_id, url, secret)
        VALUES ('{ENDPOINT}', '{OWNER}', 'https://n8n.example/hook', 'whsec_1');
        INSERT INTO events (id, type, occurred_at, owner_ids, source, payload)
        VALUES ('{EVENT}', 'test', now(), '{{}}', 'api', '{{"id": "{EVENT}", "type": "test"}}');
        INSERT INTO webhook_deliveries (endpoint_id, event_id, position, status, attempts, settled_at)
        SELECT '{ENDPOINT}', id, position, 'delivered', 1, now() FROM events WHERE id = '{EVENT}';
        INSERT INTO webhook_attempts (delivery_id, attempted_at, duration_ms, status_code)
        SELECT id, now(), 12, 200 FROM webhook_deliveries;
        INSERT INTO deployment (public_url) VALUES ('https://crm.example');
    """,
    "007": f"""
        UPDATE deals SET title = 'Won deal', updated_at = now() WHERE id = '{WON_DEAL}';
        UPDATE contacts SET reply_status = 'question' WHERE id = '{OTHER_CONTACT}';
        SELECT crm_test_endpoint('{ENDPOINT}', now());
    """,
    "008": """
        SET search_path = crm_jobs;
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock) VALUES ('crm', 'drain', 'drain:1');
        RESET search_path;
    """,
    "010": f"""
        INSERT INTO access_tokens (owner_id, description, issued_at, expires_at, revoked_at)
        VALUES ('{OWNER}', 'n8n', now(), now() + interval '90 days', now());
    """,
}

TABLES = """
    SELECT pg_class.oid::regclass::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND nspname IN ('public', 'crm_jobs')
"""


def insert_rows(connection: psycopg.Connection[Any], revision: str) -> None:
    """Fill a database that has this revision."""
    for made_in, statements in ROWS.items():
        if made_in <= revision:
            connection.execute(statements.encode())


def stored_rows(connection: psycopg.Connection[Any]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by table; the version of the schema aside."""
    names = connection.execute(TABLES).fetchall()
    found = {}
    for (name,) in names:
        rows = connection.execute(f"SELECT to_jsonb(t) FROM {name} AS t ORDER BY t::text".encode())
        found[name] = [row for (row,) in rows]
    return {name: rows for name, rows in found.items() if name != "alembic_version"}
