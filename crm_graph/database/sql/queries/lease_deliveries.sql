-- Leases the next deliveries of an endpoint, oldest first, and returns all that is needed to send them.
--
-- Until its lease ends, no other worker gets a delivery. An endpoint in an outage is sent one at a time, to find out
-- whether it is back. due_endpoints.sql explains the conditions.
--
-- In psql, set the parameters first:
-- \set endpoint_id '''00000000-0000-0000-0000-000000000000'''
-- \set max_rows 10
-- \set lease_seconds 20
-- \set outage_failures 5
WITH endpoint AS (
    SELECT w.*, o.role
    FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
    WHERE w.id = :endpoint_id
        AND w.disabled_at IS NULL AND o.active AND (w.retry_at IS NULL OR w.retry_at <= now())
        AND NOT EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)
), ready AS (
    SELECT d.id FROM webhook_deliveries AS d
    WHERE d.endpoint_id = (SELECT id FROM endpoint)
        AND d.status = 'pending' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())
        AND NOT EXISTS (
            SELECT FROM webhook_deliveries AS e
            WHERE e.endpoint_id = d.endpoint_id AND e.order_key = d.order_key AND e.status = 'pending'
                AND e.position < d.position)
    ORDER BY d.position
    LIMIT (SELECT CASE WHEN failures >= :outage_failures THEN 1 ELSE :max_rows END FROM endpoint)
    FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE webhook_deliveries AS d SET leased_until = now() + :lease_seconds * interval '1 second'
    FROM ready WHERE d.id = ready.id
    RETURNING d.*
)
SELECT leased.id, leased.attempts, leased.position, event.id AS event_id, event.payload, event.traceparent,
    endpoint.url, endpoint.headers, endpoint.secret, endpoint.owner_id, endpoint.role, endpoint.failures,
    CASE WHEN endpoint.previous_secret_until > now() THEN endpoint.previous_secret END AS previous_secret
FROM leased JOIN events AS event ON event.id = leased.event_id CROSS JOIN endpoint
ORDER BY leased.position;
