-- For /metrics: how many stored webhooks could not be applied, by status, counted up to `max_rows`.
--
-- In psql, set the parameter first:
-- \set max_rows 10000
SELECT s.status,
    (SELECT count(*) FROM (SELECT FROM webhooks_log AS w WHERE w.status = s.status LIMIT :max_rows) AS unapplied) AS webhooks
FROM unnest(ARRAY['error', 'quarantined']) AS s (status);
