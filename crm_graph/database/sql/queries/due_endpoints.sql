-- The endpoints to which a delivery can be sent at this moment.
--
-- Three conditions are the same here, in lease_deliveries.sql and in delivery_backlog.sql: whether an endpoint `w` of
-- an owner `o` may be sent anything, whether a delivery `d` is due, and whether it is its turn. Deliveries to one
-- endpoint about one deal or contact (order_key) go in the order of their events.
SELECT w.id
FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
WHERE w.disabled_at IS NULL AND o.active AND (w.retry_at IS NULL OR w.retry_at <= now())
    AND NOT EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)
    AND EXISTS (
        SELECT FROM webhook_deliveries AS d
        WHERE d.endpoint_id = w.id
            AND d.status = 'pending' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())
            AND NOT EXISTS (
                SELECT FROM webhook_deliveries AS e
                WHERE e.endpoint_id = d.endpoint_id AND e.order_key = d.order_key AND e.status = 'pending'
                    AND e.position < d.position));
