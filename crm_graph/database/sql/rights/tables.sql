-- What app_user and readonly may do with the schemas, tables and sequences. The rights on a function or view stand with
-- its definition. Roles must exist: see roles.sql.
GRANT USAGE ON SCHEMA public TO app_user, readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_user;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO app_user;
-- What happened is never deleted by the server, only by a migration or by an erasure that app_admin runs.
REVOKE DELETE ON webhooks_log, activities, deal_stage_history FROM app_user;
-- Only migrations change the schema's version, only triggers write events, and an erasure changes their payloads.
REVOKE INSERT, UPDATE, DELETE ON alembic_version, events FROM app_user;
GRANT UPDATE (payload) ON events TO app_user;
-- A changed key would no longer recognise the people who were erased.
REVOKE INSERT, UPDATE, DELETE ON suppression_key FROM app_user;
-- Keys and secrets are nothing for BI tools.
REVOKE ALL ON suppression_key, idempotency_keys, webhook_endpoints FROM readonly;
GRANT USAGE ON SCHEMA crm_jobs TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crm_jobs TO app_user;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA crm_jobs TO app_user;
