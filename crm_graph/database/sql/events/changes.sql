-- The `changes` of an event: for each of `column_names` that differs, its old and new value; null when none differs.
--
-- `hidden` are columns whose old value is left out: those of an erased contact's deals.
CREATE OR REPLACE FUNCTION crm_changed_columns(before jsonb, after jsonb, column_names text[], hidden text[])
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_object_agg(name, json_build_object(
            'old', CASE WHEN name <> ALL (hidden) THEN crm_bounded(crm_number_as_text(before -> name)) END,
            'new', crm_bounded(crm_number_as_text(after -> name))))
        FROM unnest(column_names) AS name WHERE before -> name IS DISTINCT FROM after -> name);
END $$;

-- A JSON number as text, so that no reader rounds an amount; every other value unchanged.
CREATE OR REPLACE FUNCTION crm_number_as_text(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'number' THEN to_jsonb(value #>> '{}') ELSE value END
$$;

-- A value as events show it: an object or list that is larger than what the API accepts is replaced by its size, a text
-- is cut. Only rows that were stored before there were limits have such values.
CREATE OR REPLACE FUNCTION crm_bounded(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(value::text) <= 65536 THEN value
        WHEN jsonb_typeof(value) = 'string' THEN to_jsonb(left(value #>> '{}', 100000))
        ELSE jsonb_build_object('too_large', octet_length(value::text)) END
$$;

-- Two JSON objects as one, with the members of `one` first. jsonb's `||` would not keep the order of the members.
CREATE OR REPLACE FUNCTION crm_json_concat(one json, other json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(one::text, -1) || ', ' || substr(other::text, 2))::json
$$;
