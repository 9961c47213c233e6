-- The tables on which the caller lacks a right that the server needs: see rights/tables.sql.
SELECT c.relname AS name
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    AND NOT (
        has_table_privilege(c.oid, 'SELECT')
        AND (c.relname IN ('alembic_version', 'suppression_key', 'events') OR (
            has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'))))
ORDER BY c.relname;
