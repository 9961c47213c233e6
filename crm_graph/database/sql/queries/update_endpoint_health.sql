-- Records what attempts say about an endpoint: how often it failed in a row, until when it rests, whether it is
-- disabled. Returns whether it was in an outage before; no row when there is nothing to record.
--
-- `failures` counts those since the last success, or all when there was none. Attempts that were under way when the
-- outage began may fail a moment later (is_late): they belong to the same outage and don't make its rest longer.
-- `retry_after` is the rest that the endpoint asked for, in seconds, and `back_off` the rest in an outage.
--
-- In psql, set the parameters first:
-- \set endpoint_id '''00000000-0000-0000-0000-000000000000'''
-- \set failures 1
-- \set has_success false
-- \set is_gone false
-- \set outage_failures 5
-- \set back_off 60.0
-- \set retry_after 0.0
-- \set disable_after 432000.0
-- \set gone_reason '''it answered 410 Gone'''
-- \set failing_reason '''it has failed for 5 days'''
WITH before AS (
    SELECT id, failures >= :outage_failures AS was_down,
        NOT :has_success AND failures >= :outage_failures AND retry_at > now() AS is_late,
        CASE WHEN :has_success THEN least(:failures, :outage_failures)
            WHEN failures < :outage_failures THEN least(failures + :failures, :outage_failures)
            WHEN retry_at > now() THEN failures ELSE failures + 1 END AS failures,
        CASE WHEN :failures = 0 THEN NULL WHEN :has_success THEN now()
            ELSE coalesce(failing_since, now()) END AS failing_since
    FROM webhook_endpoints WHERE id = :endpoint_id AND (:failures > 0 OR failures > 0 OR :retry_after > 0)
    FOR UPDATE
), updated AS (
    UPDATE webhook_endpoints AS w SET failures = before.failures, failing_since = before.failing_since,
        retry_at = CASE WHEN before.is_late THEN greatest(w.retry_at, now() + :retry_after * interval '1 second')
            WHEN before.failures >= :outage_failures OR :retry_after > 0
            THEN now() + greatest(:retry_after, CASE WHEN before.failures >= :outage_failures THEN :back_off ELSE 0 END)
                * interval '1 second' END,
        disabled_at = CASE WHEN :is_gone OR before.failing_since < now() - :disable_after * interval '1 second'
            THEN now() ELSE w.disabled_at END,
        disabled_reason = CASE WHEN :is_gone THEN :gone_reason
            WHEN before.failing_since < now() - :disable_after * interval '1 second'
            THEN :failing_reason ELSE w.disabled_reason END
    FROM before WHERE w.id = before.id AND w.disabled_at IS NULL
)
SELECT was_down FROM before;
