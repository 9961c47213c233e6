-- The parts of an event's `data`: one row each, as JSON, or null where there is no such row.
--
-- docs/events.md and crm_graph/delivery/payloads.py describe them. An amount is text, so that no reader rounds it.
-- They are in PL/pgSQL because a session keeps its plans; those of an SQL function are made again for each call.
CREATE OR REPLACE FUNCTION crm_contact_snapshot(contact uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'email', email, 'full_name', full_name, 'title', title, 'phone', phone,
            'linkedin_url', linkedin_url, 'website', website, 'lifecycle_stage', lifecycle_stage,
            'reply_status', reply_status, 'reply_summary', reply_summary,
            'do_not_contact', do_not_contact_at IS NOT NULL, 'custom', crm_bounded(custom), 'owner_id', owner_id,
            'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.contacts WHERE id = contact);
END $$;

CREATE OR REPLACE FUNCTION crm_deal_snapshot(deal uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'title', title, 'amount', amount::text, 'currency', currency,
            'status', status, 'close_date', close_date, 'source', source, 'campaign_id', campaign_id,
            'lost_reason', lost_reason, 'owner_id', owner_id, 'member_ids', coalesce(member_ids, '{}'),
            'version', version, 'deleted', deleted_at IS NOT NULL)
        FROM public.deals WHERE id = deal);
END $$;

CREATE OR REPLACE FUNCTION crm_stage_snapshot(stage uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'key', key, 'name', name, 'kind', kind)
        FROM public.pipeline_stages WHERE id = stage);
END $$;

CREATE OR REPLACE FUNCTION crm_pipeline_snapshot(pipeline uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_object('id', id, 'name', name) FROM public.pipelines WHERE id = pipeline);
END $$;

CREATE OR REPLACE FUNCTION crm_company_snapshot(company uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT json_build_object('id', id, 'name', name, 'domain', domain) FROM public.companies WHERE id = company);
END $$;

CREATE OR REPLACE FUNCTION crm_owner_snapshot(owner uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT json_build_object('id', id, 'name', name, 'email', email) FROM public.owners WHERE id = owner);
END $$;
