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

DROP TRIGGER IF EXISTS crm_activity_made ON activities;
CREATE CONSTRAINT TRIGGER crm_activity_made AFTER INSERT ON activities
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm_activity_created();
