-- Writes an event `test` for one endpoint, whatever types it subscribed to, and returns the event's id.
CREATE OR REPLACE FUNCTION crm_test_endpoint(endpoint uuid, at timestamptz)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    RETURN crm_emit_event('test', at, '{}', NULL, NULL, NULL, ARRAY['endpoint_id', endpoint::text],
        json_build_object('message', 'crm-graph can reach this endpoint'), endpoint);
END $$;

REVOKE EXECUTE ON FUNCTION crm_test_endpoint FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_test_endpoint TO app_user;
