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

-- Refuses a contact's new address that leads to another contact as a further one: the two tables share no unique index.
--
-- It runs after the unique index of contacts has let the row pass, so it sees what others committed meanwhile.
CREATE OR REPLACE FUNCTION crm_address_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM public.contact_emails WHERE email = NEW.email AND contact_id <> NEW.id
        AND contact_id IS DISTINCT FROM NEW.merged_into_id;
    IF FOUND THEN
        RAISE serialization_failure USING MESSAGE = 'the address leads to another contact';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS crm_address_of_new_is_free ON contacts;
CREATE TRIGGER crm_address_of_new_is_free AFTER INSERT ON contacts
    FOR EACH ROW EXECUTE FUNCTION crm_address_is_free();
DROP TRIGGER IF EXISTS crm_address_is_free ON contacts;
CREATE TRIGGER crm_address_is_free AFTER UPDATE OF email ON contacts
    FOR EACH ROW WHEN (OLD.email <> NEW.email) EXECUTE FUNCTION crm_address_is_free();

CREATE OR REPLACE FUNCTION crm_contact_changed()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    owner_ids uuid[] := array_remove(ARRAY[NEW.owner_id], NULL);
    attributes text[] := ARRAY['contact_id', NEW.id::text];
    has_new_status boolean := TG_OP = 'UPDATE' AND OLD.reply_status IS DISTINCT FROM NEW.reply_status;
    -- Plain SQL may leave updated_at unchanged.
    changed_at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at
        WHEN NEW.updated_at <> OLD.updated_at THEN NEW.updated_at ELSE now() END;
    changes json;
    snapshot json;
BEGIN
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'contact', 'id', NEW.id, 'owner_id', NEW.owner_id,
        'old_owner_id', CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner_id ELSE NEW.owner_id END)::text);
    IF TG_OP = 'UPDATE' AND NEW.erased_at IS NOT NULL THEN
        IF OLD.erased_at IS NULL THEN
            PERFORM crm_emit_event('contact_erased', NEW.erased_at, owner_ids, NULL, NEW.id, NULL, attributes,
                '{}'::json);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.merged_into_id = NEW.merged_into_id THEN
        RETURN NULL;  -- what is left of a merged contact
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- With a new status, its summary and the need for a review are part of contact_status_changed.
        changes := crm_changed_columns(to_jsonb(OLD), to_jsonb(NEW), CASE WHEN has_new_status THEN '{}'::text[]
            ELSE ARRAY['reply_summary', 'needs_review'] END || ARRAY['email', 'full_name', 'title', 'linkedin_url',
            'website', 'phone', 'company_id', 'owner_id', 'lifecycle_stage', 'ooo_until', 'do_not_contact_at',
            'do_not_contact_reason', 'custom', 'deleted_at', 'merged_into_id'], '{}');
        IF changes IS NULL AND NOT has_new_status THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT json_build_object('contact', crm_contact_snapshot(c.id), 'company', crm_company_snapshot(c.company_id),
        'owner', crm_owner_snapshot(c.owner_id))
    INTO snapshot FROM contacts c WHERE c.id = NEW.id AND c.erased_at IS NULL;
    IF snapshot IS NULL THEN
        RETURN NULL;  -- removed or erased later in this transaction
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM crm_emit_event('contact_created', changed_at, owner_ids, NULL, NEW.id, NULL, attributes, snapshot);
    END IF;
    IF has_new_status THEN
        PERFORM crm_emit_event('contact_status_changed', changed_at, owner_ids, NULL, NEW.id, NULL,
            attributes || ARRAY['old_status', OLD.reply_status, 'new_status', NEW.reply_status]::text[], snapshot);
    END IF;
    IF changes IS NOT NULL THEN
        PERFORM crm_emit_event('contact_updated', changed_at, owner_ids, NULL, NEW.id, NULL, attributes,
            crm_json_concat(snapshot, json_build_object('changes', changes)));
    END IF;
    RETURN NULL;
END $$;
