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
