-- The form in which telephone numbers are searched: their digits from the last to the first, without the zeros and the
-- "(0)" that come before an area code. Numbers with and without country code then begin alike. Null below 6 digits.
--
-- An index stores its results. A change of what it returns needs a new name and a new index.
CREATE OR REPLACE FUNCTION crm_phone_key(phone text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digits text COLLATE "C" := ltrim(regexp_replace(replace(left(phone, 100), '(0)', ''), '[^0-9]+', '', 'g'), '0');
BEGIN
    RETURN CASE WHEN length(digits) >= 6 THEN reverse(left(digits, 20)) END;
END $$;

-- The keys that a number found by a search may have if it is stored without the country code that was typed.
CREATE OR REPLACE FUNCTION crm_phone_keys(searched text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    key text := public.crm_phone_key(searched);
BEGIN
    RETURN ARRAY(SELECT left(key, size) FROM generate_series(6, length(key)) AS size);
END $$;

GRANT EXECUTE ON FUNCTION crm_phone_key(text), crm_phone_keys(text) TO app_user, readonly;
