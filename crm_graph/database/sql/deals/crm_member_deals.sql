-- The deals that an owner is a member of, and the contacts of these; without deleted deals.
--
-- The owner rule reads them as arrays, once in a statement. They are functions because the planner can't tell from
-- `member_ids` how few they are: it would plan each call again, which takes longer than the query.
CREATE OR REPLACE FUNCTION crm_member_deals(member uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(SELECT id FROM public.deals WHERE member_ids @> ARRAY[member] AND deleted_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION crm_member_contacts(member uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        SELECT contact_id FROM public.deals
        WHERE member_ids @> ARRAY[member] AND deleted_at IS NULL AND contact_id IS NOT NULL);
END $$;
