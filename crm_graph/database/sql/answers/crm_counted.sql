-- A value of an answer, counted: the values that one transaction has counted may have `most` bytes together.
--
-- Raises CRM54 before PostgreSQL builds more of the answer. The sum is a setting that ends with the transaction, and a
-- query is a transaction of its own.
CREATE OR REPLACE FUNCTION crm_counted(value anyelement, most integer) RETURNS anyelement LANGUAGE plpgsql STRICT AS $$
DECLARE
    counted bigint := coalesce(nullif(current_setting('crm.counted', true), ''), '0')::bigint
        + octet_length(value::text);
    kept text;
BEGIN
    IF counted > most THEN
        RAISE EXCEPTION 'the answer is too large' USING ERRCODE = 'CRM54';
    END IF;
    kept := set_config('crm.counted', counted::text, true);
    RETURN value;
END $$;

GRANT EXECUTE ON FUNCTION crm_counted(anyelement, integer) TO app_user, readonly;
