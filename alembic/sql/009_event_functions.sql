-- The event functions as of revision 009: a frozen copy of crm_graph/database/sql/events/ without the triggers, which
-- follow the functions that are renamed.

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
            'do_not_contact', do_not_contact_at IS NOT NULL, 'custom', custom, 'owner_id', owner_id,
            'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.contacts WHERE id = contact);
END $$;

CREATE OR REPLACE FUNCTION crm_deal_snapshot(deal uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'title', title, 'amount', amount::text, 'currency', currency,
            'status', status, 'close_date', close_date, 'source', source, 'campaign_id', campaign_id,
            'lost_reason', lost_reason, 'owner_id', owner_id, 'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.deals WHERE id = deal);
END $$;

CREATE OR REPLACE FUNCTION crm_stage_snapshot(stage uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'key', key, 'name', name, 'kind', kind)
        FROM public.pipeline_stages WHERE id = stage);
END $$;

CREATE OR REPLACE FUNCTION crm_pipeline_snapshot(pipeline uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_object('id', id, 'name', name) FROM public.pipelines WHERE id = pipeline);
END $$;

CREATE OR REPLACE FUNCTION crm_company_snapshot(company uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'name', name, 'domain', domain) FROM public.companies WHERE id = company);
END $$;

CREATE OR REPLACE FUNCTION crm_owner_snapshot(owner uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_object('id', id, 'name', name, 'email', email) FROM public.owners WHERE id = owner);
END $$;

-- The `changes` of an event: for each of `column_names` that differs, its old and new value; null when none differs.
--
-- `hidden` are columns whose old value is left out: those of an erased contact's deals.
CREATE OR REPLACE FUNCTION crm_changed_columns(before jsonb, after jsonb, column_names text[], hidden text[])
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_object_agg(name, json_build_object(
            'old', CASE WHEN name <> ALL (hidden) THEN crm_number_as_text(before -> name) END,
            'new', crm_number_as_text(after -> name)))
        FROM unnest(column_names) AS name WHERE before -> name IS DISTINCT FROM after -> name);
END $$;

-- A JSON number as text, so that no reader rounds an amount; every other value unchanged.
CREATE OR REPLACE FUNCTION crm_number_as_text(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'number' THEN to_jsonb(value #>> '{}') ELSE value END
$$;

-- Two JSON objects as one, with the members of `one` first. jsonb's `||` would not keep the order of the members.
CREATE OR REPLACE FUNCTION crm_json_concat(one json, other json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(one::text, -1) || ', ' || substr(other::text, 2))::json
$$;

-- Writes an event to the outbox, and a delivery for each endpoint that is to get it; returns the event's id.
--
-- `attributes` are the names and values that this type of event has at the top level of its payload, alternating.
-- `owner_ids` are the owners of the rows that the event is about: their endpoints get it, and every admin's.
-- With `only_endpoint_id`, no other endpoint does. `crm.source` and `crm.traceparent` are settings of the transaction.
--
-- Only the triggers call it. They run as the owner of the schema (SECURITY DEFINER), so that a role that may change a
-- deal needs no right to write events, and none can write a false one.
CREATE OR REPLACE FUNCTION crm_emit_event(event_type text, occurred_at timestamptz, owner_ids uuid[], deal_id uuid,
    contact_id uuid, activity_id uuid, attributes text[], data json, only_endpoint_id uuid DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    new_id uuid := gen_random_uuid();
    event_source text := coalesce(nullif(current_setting('crm.source', true), ''), 'sql');
    head json := json_build_object(VARIADIC ARRAY['id', new_id::text, 'type', event_type,
        'occurred_at', to_json(occurred_at) #>> '{}', 'source', event_source, 'idempotency_key', new_id::text]
        || attributes);
    new_position bigint;
BEGIN
    INSERT INTO events
        (id, type, occurred_at, owner_ids, deal_id, contact_id, activity_id, source, payload, traceparent)
    VALUES (new_id, event_type, occurred_at, owner_ids, deal_id, contact_id, activity_id, event_source,
        crm_json_concat(head, json_build_object('data', data)),
        nullif(current_setting('crm.traceparent', true), ''))
    RETURNING position INTO new_position;
    INSERT INTO webhook_deliveries (endpoint_id, event_id, position, order_key)
    SELECT w.id, new_id, new_position, coalesce(deal_id, contact_id)
    FROM webhook_endpoints w JOIN public.owners o ON o.id = w.owner_id
    WHERE w.disabled_at IS NULL AND o.active
        AND CASE WHEN only_endpoint_id IS NOT NULL THEN w.id = only_endpoint_id ELSE
            (w.event_types = '{}' OR event_type = ANY (w.event_types))
            AND (o.role = 'admin' OR w.owner_id = ANY (owner_ids)) END;
    IF FOUND THEN
        PERFORM pg_notify('crm_deliveries', '');
    END IF;
    RETURN new_id;
END $$;

REVOKE EXECUTE ON FUNCTION crm_emit_event FROM PUBLIC;

-- Events of a deal: deal_created, deal_stage_changed and deal_updated. Notifies the subscriptions of every change.
--
-- The triggers are deferred, so that an event shows what its transaction leaves behind. They run while it still holds
-- the locks of its rows, so positions of one deal's events are in the order of its changes.
-- A new rank alone, the deal's place in its column, is no event.
CREATE OR REPLACE FUNCTION crm_deal_changed()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    has_moved boolean := TG_OP = 'UPDATE' AND OLD.stage_id <> NEW.stage_id;
    is_erased boolean;
    changes json;
    snapshot json;
    owner_ids uuid[] := array_remove(ARRAY[NEW.owner_id], NULL);
    -- Plain SQL may leave updated_at unchanged.
    changed_at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at
        WHEN NEW.updated_at <> OLD.updated_at THEN NEW.updated_at ELSE now() END;
BEGIN
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'deal', 'id', NEW.id, 'pipeline_id', NEW.pipeline_id,
        'owner_id', NEW.owner_id, 'old_owner_id', CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner_id ELSE NEW.owner_id END
        )::text);
    SELECT c.erased_at IS NOT NULL INTO is_erased FROM (SELECT) AS one LEFT JOIN contacts c ON c.id = NEW.contact_id;
    IF TG_OP = 'UPDATE' THEN
        -- With a move, lost_reason is part of deal_stage_changed.
        changes := crm_changed_columns(to_jsonb(OLD), to_jsonb(NEW), CASE WHEN has_moved THEN '{}'::text[]
            ELSE ARRAY['lost_reason'] END || ARRAY['title', 'contact_id', 'company_id', 'owner_id', 'amount',
            'currency', 'close_date', 'source', 'notes', 'campaign_id', 'deleted_at'],
            CASE WHEN is_erased THEN ARRAY['title', 'notes'] ELSE '{}' END);
        IF changes IS NULL AND NOT has_moved THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT json_build_object('deal', crm_deal_snapshot(d.id), 'stage', crm_stage_snapshot(d.stage_id),
        'pipeline', crm_pipeline_snapshot(d.pipeline_id), 'contact', crm_contact_snapshot(d.contact_id),
        'company', crm_company_snapshot(d.company_id), 'owner', crm_owner_snapshot(d.owner_id))
    INTO snapshot FROM deals d WHERE d.id = NEW.id;
    IF snapshot IS NULL THEN
        RETURN NULL;  -- the row was removed later in this transaction
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM crm_emit_event('deal_created', changed_at, owner_ids, NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text], snapshot);
    END IF;
    IF has_moved THEN
        PERFORM crm_emit_event('deal_stage_changed',
            coalesce((SELECT max(moved_at) FROM deal_stage_history WHERE deal_id = NEW.id
                AND from_stage_id = OLD.stage_id AND to_stage_id = NEW.stage_id AND NEW.updated_at <> OLD.updated_at),
                changed_at),
            owner_ids, NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text, 'old_stage_id', OLD.stage_id::text, 'new_stage_id', NEW.stage_id::text],
            crm_json_concat(snapshot, json_build_object('old_stage', crm_stage_snapshot(OLD.stage_id),
                'new_stage', crm_stage_snapshot(NEW.stage_id))));
    END IF;
    IF changes IS NOT NULL THEN
        PERFORM crm_emit_event('deal_updated', changed_at, owner_ids, NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text], crm_json_concat(snapshot, json_build_object('changes', changes)));
    END IF;
    RETURN NULL;
END $$;

-- Events of a contact: contact_created, contact_status_changed, contact_updated and contact_erased. Notifies the
-- subscriptions of every change.
--
-- Deferred for the same reasons as the triggers of deals (deal_changed.sql). After its erasure, a contact has no more
-- events.
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
            'meta', a.meta_json, 'occurred_at', a.occurred_at, 'due_at', a.due_at, 'assignee_id', a.assignee_id),
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

-- The event endpoint_disabled, when an endpoint was disabled because its deliveries fail. No event when its owner does
-- it. It goes to the owner's other endpoints and to admins: the endpoint itself gets nothing any more.
CREATE OR REPLACE FUNCTION crm_endpoint_disabled()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    PERFORM crm_emit_event('endpoint_disabled', NEW.disabled_at, ARRAY[NEW.owner_id], NULL, NULL, NULL,
        ARRAY['endpoint_id', NEW.id::text], json_build_object('endpoint', json_build_object('id', NEW.id,
            'url', NEW.url, 'disabled_reason', NEW.disabled_reason, 'failing_since', NEW.failing_since),
            'owner', crm_owner_snapshot(NEW.owner_id)));
    RETURN NULL;
END $$;

-- Writes an event `test` for one endpoint, whatever types it subscribed to, and returns the event's id.
CREATE OR REPLACE FUNCTION crm_test_endpoint(endpoint uuid, at timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    RETURN crm_emit_event('test', at, '{}', NULL, NULL, NULL, ARRAY['endpoint_id', endpoint::text],
        json_build_object('message', 'crm-graph can reach this endpoint'), endpoint);
END $$;

REVOKE EXECUTE ON FUNCTION crm_test_endpoint FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_test_endpoint TO app_user;

-- Deletes events and deliveries that are older than `before`, at most `batch_size` of each; returns how many rows.
--
-- An event stays while an endpoint still waits for it, unless that endpoint was disabled before `before`.
-- The ids are selected into an array because a plan may run a subquery of IN more than once, and each run would lock
-- other rows.
CREATE OR REPLACE FUNCTION crm_purge_events(before timestamptz, batch_size integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    delivery_count integer;
    event_count integer;
BEGIN
    DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM webhook_deliveries WHERE settled_at < before
        ORDER BY settled_at LIMIT batch_size FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS delivery_count = ROW_COUNT;
    DELETE FROM events WHERE id = ANY (ARRAY(
        SELECT id FROM events e WHERE created_at < before AND NOT EXISTS (
            SELECT FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
            WHERE d.event_id = e.id AND (d.settled_at >= before
                OR d.settled_at IS NULL AND (w.disabled_at IS NULL OR w.disabled_at >= before)))
        ORDER BY created_at, position LIMIT batch_size FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS event_count = ROW_COUNT;
    RETURN delivery_count + event_count;
END $$;

REVOKE EXECUTE ON FUNCTION crm_purge_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_purge_events TO app_user;

-- The name until revision 009, for servers that are still running during an upgrade. A later release drops it.
CREATE OR REPLACE FUNCTION crm_forget_events(before timestamptz, at_most integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    RETURN crm_purge_events(before, at_most);
END $$;

REVOKE EXECUTE ON FUNCTION crm_forget_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_forget_events TO app_user;
