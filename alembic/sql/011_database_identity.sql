-- Which database this is: its cluster's system identifier and its own number in that cluster. A database that was
-- restored, or copied with CREATE DATABASE ... TEMPLATE, is another one; a copy of the cluster's files is not.
CREATE OR REPLACE FUNCTION crm_database_identity() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    number text := (SELECT oid FROM pg_database WHERE datname = current_database());
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system()) || '/' || number;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 'unknown/' || number;  -- a provider may keep pg_control_system() to itself
END $$;
