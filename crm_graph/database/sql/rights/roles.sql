-- The three database roles: app_admin owns the schema, app_user is what the server runs as, readonly is for BI tools.
-- Roles belong to the whole server, so one that exists is kept as it is, password included.
DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT name FROM unnest(ARRAY['app_admin', 'app_user', 'readonly']) AS name
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', missing);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was first
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % is missing and % may not create it: a superuser must run CREATE ROLE % LOGIN',
                    missing, current_user, missing;
        END;
    END LOOP;
END $$;
