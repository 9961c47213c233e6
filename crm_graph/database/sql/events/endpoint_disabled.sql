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

DROP TRIGGER IF EXISTS crm_endpoint_disabled ON webhook_endpoints;
CREATE CONSTRAINT TRIGGER crm_endpoint_disabled AFTER UPDATE ON webhook_endpoints
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL AND NEW.disabled_reason <> 'by its owner')
    EXECUTE FUNCTION crm_endpoint_disabled();
