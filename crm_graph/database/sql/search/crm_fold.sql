-- The form in which texts are searched: lower case, without accents and punctuation, the same on every server.
--
-- An index and a query must agree, so nothing depends on the locale: under LC_CTYPE C, lower() and the text search
-- parser know no letters beyond ASCII, and under a Turkish locale lower('I') is a dotless i.
-- CREATE INDEX and pg_restore run with an empty search_path, so every reference has to work under one. The function
-- doesn't set a search_path itself: that would cost as much as the folding.
-- Indexes store its results. A change of what it returns needs a new name and new indexes.
CREATE OR REPLACE FUNCTION crm_fold(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text COLLATE "C" := given;
BEGIN
    IF octet_length(folded) = char_length(folded) THEN  -- ASCII: most texts, in a third of the time
        RETURN btrim(regexp_replace(lower(folded), '[^a-z0-9]+', ' ', 'g'));
    END IF;
    folded := normalize(folded, NFKD);
    -- Combining marks, variation selectors and invisible characters.
    folded := regexp_replace(
        folded,
        '[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff'
        '\u200b-\u200f\u2060-\u2064\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff]+',
        '',
        'g'
    );
    -- Letters that don't decompose: as they are typed on a keyboard that lacks them, and small.
    folded := translate(
        lower(folded),
        'ıøØłŁđĐðÐħĦŧŦŋŊəƏÆŒÞẞ'
        'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς'
        'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐҒҖҘҚҜҠҢҪҰҮҲҶҸҺӘӨ',
        'ioollddddhhttnneeæœþß'
        'αβγδεζηθικλμνξοπρστυφχψωσ'
        'абвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґғҗҙқҝҡңҫұүҳҷҹһәө'
    );
    folded := replace(replace(replace(replace(folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    -- Control characters, punctuation, symbols and emoji.
    RETURN btrim(regexp_replace(
        folded,
        '[\u0001-/:-@[-`{-\u00bf\u00d7\u00f7\u0589\u05be\u060c\u061b\u061f\u06d4\u0964\u0965\u1680\u2000-\u2bff'
        '\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\ue000-\uf8ff\ufffc\ufffd\U0001f000-\U0001faff]+',
        ' ',
        'g'
    ));
END $$;

GRANT EXECUTE ON FUNCTION crm_fold(text) TO app_user, readonly;
