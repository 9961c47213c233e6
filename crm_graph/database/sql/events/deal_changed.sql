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

DROP TRIGGER IF EXISTS crm_deal_made ON deals;
CREATE CONSTRAINT TRIGGER crm_deal_made AFTER INSERT ON deals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm_deal_changed();
DROP TRIGGER IF EXISTS crm_deal_changed ON deals;
CREATE CONSTRAINT TRIGGER crm_deal_changed AFTER UPDATE ON deals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm_deal_changed();
