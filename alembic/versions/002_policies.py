"""The three database roles and what each may do; safe to run again (contract: 002_policies).

`app_admin` owns the schema, `app_user` is what the server runs as, `readonly` is for BI tools. Roles belong to
the whole server, so one that is there already is kept as it is, password included.
"""

from alembic import op

revision = "002"
down_revision = "001"

# What happened is never deleted by the server, only by a migration or by an erasure that app_admin runs.
KEPT = "webhooks_log, activities, deal_stage_history"

ROLES = """
DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['app_admin', 'app_user', 'readonly'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', role_name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was first
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'the role % is missing and % may not create it: a superuser must CREATE ROLE %',
                        role_name, current_user, role_name;
            END;
        END IF;
    END LOOP;
END $$
"""

GRANTS = f"""
GRANT USAGE ON SCHEMA public TO app_user, readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_user;
REVOKE DELETE ON {KEPT} FROM app_user;
REVOKE ALL ON alembic_version FROM app_user;
GRANT SELECT ON alembic_version TO app_user;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO app_user
"""

REVOKES = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM app_user, readonly;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM app_user;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app_user, readonly;
REVOKE USAGE ON SCHEMA public FROM app_user, readonly
"""


def upgrade() -> None:
    op.execute(ROLES)
    for statement in GRANTS.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    for statement in REVOKES.strip().split(";\n"):
        op.execute(statement)
