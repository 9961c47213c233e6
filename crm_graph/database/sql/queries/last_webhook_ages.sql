-- For /metrics: the seconds since the last webhook of each source; null for a source that never sent one.
--
-- In psql, set the parameter first:
-- \set sources '''{instantly,calcom}'''
SELECT s.source, CAST(EXTRACT(EPOCH FROM now() -
    (SELECT max(w.received_at) FROM webhooks_log AS w WHERE w.source = s.source)) AS float) AS age
FROM unnest(CAST(:sources AS text[])) AS s (source);
