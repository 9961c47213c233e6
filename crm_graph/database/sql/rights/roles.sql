-- The three database roles: app_admin owns the schema, app_user is what the server runs as, readonly is for BI tools.
-- Roles belong to the whole server, so one that exists is kept as it is, password included.
DO $$
DECLARE
    missing text[] := ARRAY(
        SELECT name FROM unnest(ARRAY['app_admin', 'app_user', 'readonly']) AS name
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) ORDER BY name
    );
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY missing LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was first
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'roles are missing and % may not create them: a superuser must run %', current_user,
                    (SELECT string_agg(format('CREATE ROLE %I LOGIN;', name), ' ' ORDER BY name) FROM unnest(missing) AS name);
        END;
    END LOOP;
END $$;
