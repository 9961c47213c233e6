-- Writes an event to the outbox, and a delivery for each endpoint that is to get it; returns the event's id.
--
-- `attributes` are the names and values that this type of event has at the top level of its payload, alternating.
-- `owner_ids` are the owners of the rows that the event is about, and the members of its deal: their endpoints get it,
-- and every admin's.
-- With `only_endpoint_id`, no other endpoint does. `crm.source` and `crm.traceparent` are settings of the transaction.
--
-- Only the triggers and crm_test_endpoint call it. They run as the owner of the schema (SECURITY DEFINER): a role that
-- may change a deal needs no right to write events, and none can write a false one.
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
