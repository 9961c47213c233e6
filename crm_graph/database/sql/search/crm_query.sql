-- The tsquery for what a person typed: up to 8 words, each the beginning of a word, and all of them must occur.
--
-- The parser that splits texts into words for the index also splits the search. Without any word it returns '.',
-- which no folded text contains: the empty tsquery matches nothing either, but raises a NOTICE.
CREATE OR REPLACE FUNCTION crm_query(given text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words text;
    terms text;
BEGIN
    SELECT string_agg(left(word, 64), ' ') INTO words
    FROM (SELECT word FROM string_to_table(public.crm_fold(left(given, 2000)), ' ') AS word LIMIT 8) AS searched;
    SELECT string_agg('''' || lexeme || ''':*', ' & ') INTO terms FROM unnest(to_tsvector('simple', words));
    RETURN coalesce(terms, '''.''')::tsquery;
END $$;

GRANT EXECUTE ON FUNCTION crm_query(text) TO app_user, readonly;
