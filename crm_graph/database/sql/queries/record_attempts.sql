-- Records attempts: each delivery's new status, its next time while it is pending, and what the endpoint answered.
--
-- A delivery that is no longer pending keeps its state, and its attempt is not recorded: somebody cancelled it while it
-- was being sent, or another worker settled it after the lease had ended.
--
-- In psql, set the parameter first, a JSON array of objects with these keys:
-- \set attempts '''[{"id": "00000000-0000-0000-0000-000000000000", "status": "pending", "wait": 1.5, "attempted_at": "2026-01-05T09:00:00Z", "duration_ms": 12, "status_code": 500, "answer": null, "error": null, "is_internal": false}]'''
WITH attempt AS (
    SELECT * FROM jsonb_to_recordset(CAST(:attempts AS jsonb)) AS a (id uuid, status text, wait float,
        attempted_at timestamptz, duration_ms int, status_code int, answer text, error text, is_internal boolean)
), recorded AS (
    UPDATE webhook_deliveries AS d SET attempts = d.attempts + 1, leased_until = NULL, status = attempt.status,
        due_at = now() + attempt.wait * interval '1 second',
        settled_at = CASE WHEN attempt.status <> 'pending' THEN now() END
    FROM attempt WHERE d.id = attempt.id AND d.status = 'pending'
    RETURNING d.id
)
INSERT INTO webhook_attempts (delivery_id, attempted_at, duration_ms, status_code, answer, error, is_internal)
SELECT attempt.id, attempt.attempted_at, attempt.duration_ms, attempt.status_code, attempt.answer, attempt.error,
    attempt.is_internal
FROM attempt JOIN recorded ON recorded.id = attempt.id;
