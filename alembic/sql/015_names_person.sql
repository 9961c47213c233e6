-- Whether a text has one of a person's addresses in any spelling that `pattern` knows.
--
-- domain/contacts/spellings.py makes both parameters. Matching the pattern is slow, so a text is first searched for one
-- of the `words`, which are in lower case: each spelling has one, unless invisible characters divide it.
CREATE OR REPLACE FUNCTION crm_names_person(value text, words text[], pattern text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text := lower(value COLLATE "C");
    word text;
BEGIN
    FOREACH word IN ARRAY words LOOP
        IF strpos(folded, word) > 0 THEN
            RETURN value ~* pattern;
        END IF;
    END LOOP;
    RETURN octet_length(value) > length(value) AND value ~ '[\u00ad\u200b\u200c\u200d\u2060\ufeff]'
        AND value ~* pattern;
END $$;

GRANT EXECUTE ON FUNCTION crm_names_person(text, text[], text) TO app_user;
