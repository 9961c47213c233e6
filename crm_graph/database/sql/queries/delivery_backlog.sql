-- The state of the queue for /metrics: pending deliveries by state, recently settled ones by status, endpoints by
-- state, whether deliveries are paused, and for how many seconds the delivery that waits longest has been due.
--
-- It must stay fast however long the queue is. So `pending` and `settled` count at most `max_rows` each, and of every
-- endpoint only `max_candidates` due deliveries are looked at for the oldest whose turn it is. due_endpoints.sql
-- explains the conditions.
--
-- In psql, set the parameters first:
-- \set max_rows 10000
-- \set max_candidates 1000
-- \set recent_seconds 300.0
-- \set outage_failures 5
WITH pending AS (
    SELECT endpoint_id, due_at, leased_until FROM webhook_deliveries WHERE status = 'pending' LIMIT :max_rows
), pending_states AS (
    SELECT CASE WHEN d.leased_until > now() THEN 'sending'
        WHEN w.disabled_at IS NOT NULL OR NOT o.active
            OR EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL) THEN 'held'
        WHEN d.due_at > now() OR w.retry_at > now() THEN 'waiting' ELSE 'due' END AS state
    FROM pending AS d JOIN webhook_endpoints AS w ON w.id = d.endpoint_id JOIN owners AS o ON o.id = w.owner_id
), settled AS (
    SELECT status FROM webhook_deliveries WHERE settled_at > now() - :recent_seconds * interval '1 second'
    ORDER BY settled_at DESC LIMIT :max_rows
), endpoint_states AS (
    SELECT CASE WHEN w.disabled_at IS NOT NULL THEN 'disabled' WHEN NOT o.active THEN 'inactive'
        WHEN w.failures >= :outage_failures THEN 'down' WHEN w.failures > 0 THEN 'failing' ELSE 'ok' END AS state
    FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
)
SELECT
    (SELECT jsonb_build_object(
        'due', count(*) FILTER (WHERE state = 'due'),
        'sending', count(*) FILTER (WHERE state = 'sending'),
        'waiting', count(*) FILTER (WHERE state = 'waiting'),
        'held', count(*) FILTER (WHERE state = 'held')) FROM pending_states) AS pending,
    (SELECT jsonb_build_object(
        'delivered', count(*) FILTER (WHERE status = 'delivered'),
        'failed', count(*) FILTER (WHERE status = 'failed'),
        'cancelled', count(*) FILTER (WHERE status = 'cancelled')) FROM settled) AS settled,
    (SELECT jsonb_build_object(
        'ok', count(*) FILTER (WHERE state = 'ok'),
        'failing', count(*) FILTER (WHERE state = 'failing'),
        'down', count(*) FILTER (WHERE state = 'down'),
        'disabled', count(*) FILTER (WHERE state = 'disabled'),
        'inactive', count(*) FILTER (WHERE state = 'inactive')) FROM endpoint_states) AS endpoints,
    EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL) AS is_paused,
    coalesce((
        SELECT CAST(EXTRACT(EPOCH FROM now() - min(oldest.due_at)) AS float)
        FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id CROSS JOIN LATERAL (
            SELECT d.due_at FROM (
                SELECT d.* FROM webhook_deliveries AS d
                WHERE d.endpoint_id = w.id
                    AND d.status = 'pending' AND d.due_at <= now()
                    AND (d.leased_until IS NULL OR d.leased_until < now())
                ORDER BY d.due_at LIMIT :max_candidates) AS d
            WHERE NOT EXISTS (
                SELECT FROM webhook_deliveries AS e
                WHERE e.endpoint_id = d.endpoint_id AND e.order_key = d.order_key AND e.status = 'pending'
                    AND e.position < d.position)
            ORDER BY d.due_at LIMIT 1) AS oldest
        WHERE w.disabled_at IS NULL AND o.active AND (w.retry_at IS NULL OR w.retry_at <= now())
            AND NOT EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)), 0) AS oldest_due_age;
