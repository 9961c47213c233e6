-- The rights on everything in our schemas, one row for each object: what it is, and who may do what with it. A right that
-- PostgreSQL has by default, because nothing was granted or revoked, is listed like any other.
WITH schemas AS (
    SELECT oid, nspacl, nspowner FROM pg_namespace WHERE nspname IN ('public', 'crm_jobs')
), objects (name, rights) AS (
    SELECT 'schema ' || oid::regnamespace, coalesce(nspacl, acldefault('n', nspowner)) FROM schemas
    UNION ALL
    SELECT 'table ' || c.oid::regclass, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
    FROM pg_class AS c JOIN schemas ON schemas.oid = relnamespace
    WHERE relkind IN ('r', 'v', 'm', 'S')
    UNION ALL
    SELECT 'column ' || attrelid::regclass || '.' || attname, attacl
    FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid JOIN schemas ON schemas.oid = relnamespace
    WHERE attacl IS NOT NULL
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc AS p JOIN schemas ON schemas.oid = pronamespace
    UNION ALL
    SELECT 'new objects ' || defaclobjtype::text || ' of ' || defaclrole::regrole, defaclacl
    FROM pg_default_acl JOIN schemas ON schemas.oid = defaclnamespace
)
SELECT name, coalesce((SELECT string_agg(one::text, ' ' ORDER BY one::text) FROM unnest(rights) AS one), '') AS rights
FROM objects;
