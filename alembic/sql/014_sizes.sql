-- Sizes: refuse values that are larger than what the API accepts. The last line, behind the checks in Python.
--
-- Triggers and not CHECK constraints: a row that was stored before there were limits must stay editable. So an update
-- is refused only if it makes a large value larger. Bytes, of JSON as of text; a character has at most four.
CREATE OR REPLACE FUNCTION crm_refuse_large() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stored jsonb := to_jsonb(NEW);
    size integer;
BEGIN
    FOR place IN 0 .. TG_NARGS - 1 BY 2 LOOP
        size := octet_length(stored ->> TG_ARGV[place]);
        IF size > TG_ARGV[place + 1]::integer THEN
            RAISE EXCEPTION '% of % has % bytes; the limit is %',
                TG_ARGV[place], TG_TABLE_NAME, size, TG_ARGV[place + 1]
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[place];
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER crm_contacts_size_of_new BEFORE INSERT ON contacts FOR EACH ROW
    WHEN (octet_length(NEW.custom::text) > 65536 OR octet_length(NEW.full_name) > 2000
        OR octet_length(NEW.title) > 2000 OR octet_length(NEW.linkedin_url) > 2000
        OR octet_length(NEW.website) > 2000 OR octet_length(NEW.phone) > 2000
        OR octet_length(NEW.reply_summary) > 2000 OR octet_length(NEW.do_not_contact_reason) > 2000)
    EXECUTE FUNCTION crm_refuse_large('custom', '65536', 'full_name', '2000', 'title', '2000',
        'linkedin_url', '2000', 'website', '2000', 'phone', '2000', 'reply_summary', '2000',
        'do_not_contact_reason', '2000');
CREATE OR REPLACE TRIGGER crm_contacts_size_of_changed BEFORE UPDATE ON contacts FOR EACH ROW
    WHEN (octet_length(NEW.custom::text) > greatest(65536, octet_length(OLD.custom::text))
        OR octet_length(NEW.full_name) > greatest(2000, octet_length(OLD.full_name))
        OR octet_length(NEW.title) > greatest(2000, octet_length(OLD.title))
        OR octet_length(NEW.linkedin_url) > greatest(2000, octet_length(OLD.linkedin_url))
        OR octet_length(NEW.website) > greatest(2000, octet_length(OLD.website))
        OR octet_length(NEW.phone) > greatest(2000, octet_length(OLD.phone))
        OR octet_length(NEW.reply_summary) > greatest(2000, octet_length(OLD.reply_summary))
        OR octet_length(NEW.do_not_contact_reason) > greatest(2000, octet_length(OLD.do_not_contact_reason)))
    EXECUTE FUNCTION crm_refuse_large('custom', '65536', 'full_name', '2000', 'title', '2000',
        'linkedin_url', '2000', 'website', '2000', 'phone', '2000', 'reply_summary', '2000',
        'do_not_contact_reason', '2000');

CREATE OR REPLACE TRIGGER crm_companies_size_of_new BEFORE INSERT ON companies FOR EACH ROW
    WHEN (octet_length(NEW.enrichment_json::text) > 65536 OR octet_length(NEW.name) > 2000
        OR octet_length(NEW.location) > 2000 OR octet_length(NEW.size) > 2000 OR octet_length(NEW.industry) > 2000
        OR octet_length(NEW.website) > 2000 OR octet_length(NEW.linkedin_url) > 2000)
    EXECUTE FUNCTION crm_refuse_large('enrichment_json', '65536', 'name', '2000', 'location', '2000',
        'size', '2000', 'industry', '2000', 'website', '2000', 'linkedin_url', '2000');
CREATE OR REPLACE TRIGGER crm_companies_size_of_changed BEFORE UPDATE ON companies FOR EACH ROW
    WHEN (octet_length(NEW.enrichment_json::text) > greatest(65536, octet_length(OLD.enrichment_json::text))
        OR octet_length(NEW.name) > greatest(2000, octet_length(OLD.name))
        OR octet_length(NEW.location) > greatest(2000, octet_length(OLD.location))
        OR octet_length(NEW.size) > greatest(2000, octet_length(OLD.size))
        OR octet_length(NEW.industry) > greatest(2000, octet_length(OLD.industry))
        OR octet_length(NEW.website) > greatest(2000, octet_length(OLD.website))
        OR octet_length(NEW.linkedin_url) > greatest(2000, octet_length(OLD.linkedin_url)))
    EXECUTE FUNCTION crm_refuse_large('enrichment_json', '65536', 'name', '2000', 'location', '2000',
        'size', '2000', 'industry', '2000', 'website', '2000', 'linkedin_url', '2000');

CREATE OR REPLACE TRIGGER crm_deals_size_of_new BEFORE INSERT ON deals FOR EACH ROW
    WHEN (octet_length(NEW.notes) > 400000 OR octet_length(NEW.title) > 2000 OR octet_length(NEW.source) > 2000
        OR octet_length(NEW.campaign_id) > 2000 OR octet_length(NEW.lost_reason) > 2000)
    EXECUTE FUNCTION crm_refuse_large('notes', '400000', 'title', '2000', 'source', '2000', 'campaign_id', '2000',
        'lost_reason', '2000');
CREATE OR REPLACE TRIGGER crm_deals_size_of_changed BEFORE UPDATE ON deals FOR EACH ROW
    WHEN (octet_length(NEW.notes) > greatest(400000, octet_length(OLD.notes))
        OR octet_length(NEW.title) > greatest(2000, octet_length(OLD.title))
        OR octet_length(NEW.source) > greatest(2000, octet_length(OLD.source))
        OR octet_length(NEW.campaign_id) > greatest(2000, octet_length(OLD.campaign_id))
        OR octet_length(NEW.lost_reason) > greatest(2000, octet_length(OLD.lost_reason)))
    EXECUTE FUNCTION crm_refuse_large('notes', '400000', 'title', '2000', 'source', '2000', 'campaign_id', '2000',
        'lost_reason', '2000');

CREATE OR REPLACE TRIGGER crm_activities_size_of_new BEFORE INSERT ON activities FOR EACH ROW
    WHEN (octet_length(NEW.content) > 400000 OR octet_length(NEW.meta_json::text) > 1000000)
    EXECUTE FUNCTION crm_refuse_large('content', '400000', 'meta_json', '1000000');
CREATE OR REPLACE TRIGGER crm_activities_size_of_changed BEFORE UPDATE ON activities FOR EACH ROW
    WHEN (octet_length(NEW.content) > greatest(400000, octet_length(OLD.content))
        OR octet_length(NEW.meta_json::text) > greatest(1000000, octet_length(OLD.meta_json::text)))
    EXECUTE FUNCTION crm_refuse_large('content', '400000', 'meta_json', '1000000');

CREATE OR REPLACE TRIGGER crm_webhook_endpoints_size_of_new BEFORE INSERT ON webhook_endpoints FOR EACH ROW
    WHEN (octet_length(NEW.headers::text) > 131072)
    EXECUTE FUNCTION crm_refuse_large('headers', '131072');
CREATE OR REPLACE TRIGGER crm_webhook_endpoints_size_of_changed BEFORE UPDATE ON webhook_endpoints FOR EACH ROW
    WHEN (octet_length(NEW.headers::text) > greatest(131072, octet_length(OLD.headers::text)))
    EXECUTE FUNCTION crm_refuse_large('headers', '131072');

CREATE OR REPLACE TRIGGER crm_idempotency_keys_size_of_new BEFORE INSERT ON idempotency_keys FOR EACH ROW
    WHEN (octet_length(NEW.result::text) > 1000000)
    EXECUTE FUNCTION crm_refuse_large('result', '1000000');
CREATE OR REPLACE TRIGGER crm_idempotency_keys_size_of_changed BEFORE UPDATE ON idempotency_keys FOR EACH ROW
    WHEN (octet_length(NEW.result::text) > greatest(1000000, octet_length(OLD.result::text)))
    EXECUTE FUNCTION crm_refuse_large('result', '1000000');

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

-- A value as events show it: an object or list that is larger than what the API accepts is replaced by its size, a text
-- is cut. Only rows that were stored before there were limits have such values.
CREATE OR REPLACE FUNCTION crm_bounded(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(value::text) <= 65536 THEN value
        WHEN jsonb_typeof(value) = 'string' THEN to_jsonb(left(value #>> '{}', 100000))
        ELSE jsonb_build_object('too_large', octet_length(value::text)) END
$$;

-- The parts of an event's `data`: one row each, as JSON, or null where there is no such row.
--
-- docs/events.md and crm_graph/delivery/payloads.py describe them. An amount is text, so that no reader rounds it.
-- They are in PL/pgSQL because a session keeps its plans; those of an SQL function are made again for each call.
CREATE OR REPLACE FUNCTION crm_contact_snapshot(contact uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'email', email, 'full_name', full_name, 'title', title, 'phone', phone,
            'linkedin_url', linkedin_url, 'website', website, 'lifecycle_stage', lifecycle_stage,
            'reply_status', reply_status, 'reply_summary', reply_summary,
            'do_not_contact', do_not_contact_at IS NOT NULL, 'custom', crm_bounded(custom), 'owner_id', owner_id,
            'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.contacts WHERE id = contact);
END $$;

-- Events of a new activity: activity_logged and, for a reply or a meeting, one of its own type. Notifies the
-- subscriptions.
--
-- A system activity has an event only where the change that it records has none: those of tasks, labels and companies.
-- Deferred for the same reasons as the triggers of deals (deal_changed.sql).
CREATE OR REPLACE FUNCTION crm_activity_created()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    a activities;
    owner_ids uuid[];
    snapshot json;
    related text[];
    own_type text;
BEGIN
    SELECT * INTO a FROM activities WHERE id = NEW.id;
    IF NOT FOUND OR a.content = '' AND NEW.content <> '' THEN
        RETURN NULL;  -- its contact was erased later in this transaction
    END IF;
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'activity', 'id', a.id, 'deal_id', a.deal_id,
        'contact_id', a.contact_id)::text);
    IF a.type = 'system' AND NOT a.meta_json ?| ARRAY['task_id', 'label']
        AND num_nonnulls(a.contact_id, a.deal_id) > 0 THEN
        RETURN NULL;
    END IF;
    SELECT array_remove(ARRAY[c.owner_id, CASE WHEN d.owner_id IS DISTINCT FROM c.owner_id THEN d.owner_id END], NULL),
        json_build_object('activity', json_build_object('id', a.id, 'type', a.type, 'content', a.content,
            'meta', crm_bounded(a.meta_json), 'occurred_at', a.occurred_at, 'due_at', a.due_at, 'assignee_id', a.assignee_id),
            'deal', crm_deal_snapshot(d.id), 'stage', crm_stage_snapshot(d.stage_id),
            'contact', crm_contact_snapshot(c.id),
            'company', crm_company_snapshot(coalesce(a.company_id, d.company_id, c.company_id)),
            'owner', crm_owner_snapshot(coalesce(d.owner_id, c.owner_id)))
    INTO owner_ids, snapshot
    FROM (SELECT) AS one LEFT JOIN deals d ON d.id = a.deal_id LEFT JOIN contacts c ON c.id = a.contact_id;
    related := CASE WHEN a.deal_id IS NOT NULL THEN ARRAY['deal', a.deal_id::text]
        WHEN a.contact_id IS NOT NULL THEN ARRAY['contact', a.contact_id::text]
        ELSE ARRAY['company', a.company_id::text] END;
    own_type := CASE
        WHEN a.type = 'email_in' THEN 'reply_received'
        WHEN a.type = 'no_show' AND a.meta_json ->> 'no_show' IS DISTINCT FROM 'false' THEN 'meeting_no_show'
        WHEN a.type = 'meeting' AND a.meta_json ->> 'event' = 'BOOKING_RESCHEDULED' THEN 'meeting_rescheduled'
        WHEN a.type = 'meeting' AND a.meta_json ->> 'event' = 'BOOKING_CANCELLED' THEN 'meeting_cancelled'
        WHEN a.type = 'meeting' AND a.arranges THEN 'meeting_booked' END;
    PERFORM crm_emit_event(event_type, a.occurred_at, owner_ids, a.deal_id, a.contact_id, a.id,
        ARRAY['activity_id', a.id::text, 'related_type', related[1], 'related_id', related[2]], snapshot)
    FROM unnest(ARRAY['activity_logged', own_type]) AS event_type WHERE event_type IS NOT NULL;
    RETURN NULL;
END $$;
