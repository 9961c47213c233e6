-- Locks a column of the board until the transaction ends, and returns its topmost rank, ignoring the deal `but`.
--
-- VOLATILE, so that the query takes its snapshot after the lock was granted and sees what the previous holder
-- committed. 1668443501 is the lock's class: nothing else takes advisory locks with it.
CREATE OR REPLACE FUNCTION crm_lock_column(stage uuid, but uuid) RETURNS text LANGUAGE plpgsql VOLATILE STRICT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1668443501, hashtext(stage::text));
    RETURN (SELECT min(rank) FROM deals WHERE stage_id = stage AND deleted_at IS NULL AND id <> but);
END $$;
