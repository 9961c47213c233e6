-- The event functions, which know members now, and the functions by which the owner rule finds members.

CREATE OR REPLACE FUNCTION crm_deal_snapshot(deal uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'title', title, 'amount', amount::text, 'currency', currency,
            'status', status, 'close_date', close_date, 'source', source, 'campaign_id', campaign_id,
            'lost_reason', lost_reason, 'owner_id', owner_id, 'member_ids', coalesce(member_ids, '{}'),
            'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.deals WHERE id = deal);
END $$;

CREATE OR REPLACE FUNCTION crm_deal_changed()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    has_moved boolean := TG_OP = 'UPDATE' AND OLD.stage_id <> NEW.stage_id;
    is_erased boolean;
    changes json;
    snapshot json;
    owner_ids uuid[] := array_remove(NEW.owner_id || NEW.member_ids, NULL);
    -- Plain SQL may leave updated_at unchanged.
    changed_at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at
        WHEN NEW.updated_at <> OLD.updated_at THEN NEW.updated_at ELSE now() END;
BEGIN
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'deal', 'id', NEW.id, 'pipeline_id', NEW.pipeline_id,
        'owner_id', NEW.owner_id, 'old_owner_id', CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner_id ELSE NEW.owner_id END,
        'member_ids', CASE WHEN TG_OP = 'UPDATE' THEN OLD.member_ids || NEW.member_ids ELSE NEW.member_ids END)::text);
    SELECT c.erased_at IS NOT NULL INTO is_erased FROM (SELECT) AS one LEFT JOIN contacts c ON c.id = NEW.contact_id;
    IF TG_OP = 'UPDATE' THEN
        -- With a move, lost_reason is part of deal_stage_changed.
        changes := crm_changed_columns(to_jsonb(OLD), to_jsonb(NEW), CASE WHEN has_moved THEN '{}'::text[]
            ELSE ARRAY['lost_reason'] END || ARRAY['title', 'contact_id', 'company_id', 'owner_id', 'amount',
            'currency', 'close_date', 'source', 'notes', 'campaign_id', 'member_ids', 'deleted_at'],
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
    SELECT array_remove(ARRAY[c.owner_id, CASE WHEN d.owner_id IS DISTINCT FROM c.owner_id THEN d.owner_id END]
        || d.member_ids, NULL),
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

CREATE OR REPLACE FUNCTION crm_member_deals(member uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(SELECT id FROM public.deals WHERE member_ids @> ARRAY[member] AND deleted_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION crm_member_contacts(member uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT contact_id FROM public.deals
        WHERE member_ids @> ARRAY[member] AND deleted_at IS NULL AND contact_id IS NOT NULL);
END $$;
