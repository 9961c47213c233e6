-- The endpoints to which a delivery can be sent at this moment, and whether it is an endpoint's turn.
--
-- One owner's endpoints have at most `max_jobs` jobs, waiting or running, in all workers together: endpoints that answer
-- slowly must not occupy every worker. More endpoints take turns, in an order that is the same for all workers and
-- changes every `turn_seconds`. An endpoint with a job gets the next one from what the others leave.
--
-- Three conditions are the same here, in lease_deliveries.sql and in delivery_backlog.sql: whether an endpoint `w` of
-- an owner `o` may be sent anything, whether a delivery `d` is due, and whether it is its turn. Deliveries to one
-- endpoint about one deal or contact (order_key) go in the order of their events.
--
-- In psql, set the parameters first:
-- \set max_jobs 16
-- \set turn_seconds 30.0
WITH busy AS (
    SELECT DISTINCT CAST(job.args ->> 'endpoint_id' AS uuid) AS id
    FROM crm_jobs.procrastinate_jobs AS job
    WHERE job.task_name = 'drain' AND job.status IN ('todo', 'doing')
), due AS (
    SELECT w.id, w.owner_id, w.id IN (SELECT busy.id FROM busy) AS is_busy
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
                        AND e.position < d.position))
), used AS (
    SELECT w.owner_id, count(*) AS jobs FROM busy JOIN webhook_endpoints AS w ON w.id = busy.id GROUP BY w.owner_id
)
SELECT due.id, due.is_busy, coalesce(used.jobs, 0) + row_number() OVER (
    PARTITION BY due.owner_id
    ORDER BY due.is_busy, hashtextextended(
        CAST(due.id AS text), CAST(floor(EXTRACT(EPOCH FROM now()) / :turn_seconds) AS bigint))) <= :max_jobs AS is_its_turn
FROM due LEFT JOIN used ON used.owner_id = due.owner_id;
