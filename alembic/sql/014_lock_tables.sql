-- Keeps writers out of the tables whose triggers are about to change, until the transaction ends. Readers go on.
--
-- Without it, creating the triggers would deadlock with writers. Writers and this wait for one another, so each wait is short:
-- a server's own statements may wait for 8 s. Every fifth wait is longer than deadlock_timeout, because autovacuum
-- gives way only to somebody who has waited that long.
DO $$
DECLARE
    given_timeout text := current_setting('lock_timeout');
    deadline timestamptz := clock_timestamp() + interval '60 seconds';
    attempt integer := 0;
BEGIN
    LOOP
        BEGIN
            attempt := attempt + 1;
            PERFORM set_config('lock_timeout', CASE WHEN attempt % 5 = 0 THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE deals, contacts, companies, activities, idempotency_keys IN SHARE ROW EXCLUSIVE MODE;
            -- Sending a test event locks its endpoint's row, and changes none.
            LOCK TABLE webhook_endpoints IN EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > deadline THEN
                RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE =
                    'other transactions have held the tables for 60 s: migrate again when they have ended';
            END IF;
        END;
        PERFORM pg_sleep(0.1);
    END LOOP;
    PERFORM set_config('lock_timeout', given_timeout, true);
END $$;
