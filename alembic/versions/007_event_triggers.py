"""What fills the outbox: triggers that tell of every change in its own transaction, whoever makes it, and how.

They are deferred, so that they see what the transaction leaves behind, and run while it still holds the locks of the
rows: events of one deal have positions in the order of its changes. `crm.source` and `crm.traceparent` are settings of
the transaction. They run as their owner (SECURITY DEFINER), so whoever may change a deal need not be able to write
events, and nobody can write false ones.
"""

from alembic import op

revision = "007"
down_revision = "006"

DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC'"

PART = "RETURNS json LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN"  # whose plans are kept, other than those of SQL

# The parts of a snapshot; null where there is no such row. `hidden` are columns that are not told what they were.
PARTS = f"""
CREATE FUNCTION crm_told_contact(contact uuid) {PART} (
    SELECT json_build_object('id', id, 'email', email, 'full_name', full_name, 'title', title, 'phone', phone,
        'linkedin_url', linkedin_url, 'website', website, 'lifecycle_stage', lifecycle_stage,
        'reply_status', reply_status, 'reply_summary', reply_summary,
        'do_not_contact', do_not_contact_at IS NOT NULL, 'custom', custom, 'owner_id', owner_id,
        'version', version, 'deleted', deleted_at IS NOT NULL)
    FROM public.contacts WHERE id = contact);
END $$;
CREATE FUNCTION crm_told_deal(deal uuid) {PART} (
    SELECT json_build_object('id', id, 'title', title, 'amount', amount::text, 'currency', currency,
        'status', status, 'close_date', close_date, 'source', source, 'campaign_id', campaign_id,
        'lost_reason', lost_reason, 'owner_id', owner_id, 'version', version, 'deleted', deleted_at IS NOT NULL)
    FROM public.deals WHERE id = deal);
END $$;
CREATE FUNCTION crm_told_stage(stage uuid) {PART} (
    SELECT json_build_object('id', id, 'key', key, 'name', name, 'kind', kind) FROM public.pipeline_stages
    WHERE id = stage);
END $$;
CREATE FUNCTION crm_told_pipeline(pipeline uuid) {PART} (
    SELECT json_build_object('id', id, 'name', name) FROM public.pipelines WHERE id = pipeline);
END $$;
CREATE FUNCTION crm_told_company(company uuid) {PART} (
    SELECT json_build_object('id', id, 'name', name, 'domain', domain) FROM public.companies WHERE id = company);
END $$;
CREATE FUNCTION crm_told_owner(owner uuid) {PART} (
    SELECT json_build_object('id', id, 'name', name, 'email', email) FROM public.owners WHERE id = owner);
END $$;
CREATE FUNCTION crm_told_value(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(value) WHEN 'number' THEN to_jsonb(value #>> '{{}}') ELSE value END
$$;
CREATE FUNCTION crm_told_changes(before jsonb, after jsonb, of_columns text[], hidden text[]) {PART} (
    SELECT json_object_agg(name, json_build_object(
        'old', CASE WHEN name <> ALL (hidden) THEN crm_told_value(before -> name) END,
        'new', crm_told_value(after -> name)))
    FROM unnest(of_columns) AS name WHERE before -> name IS DISTINCT FROM after -> name);
END $$;
CREATE FUNCTION crm_joined(one json, other json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(one::text, -1) || ', ' || substr(other::text, 2))::json
$$
"""

# `about` are the names and values that the type has at the top level. `only_for` is the one endpoint that gets it.
EMIT = f"""
CREATE FUNCTION crm_emit(kind text, at timestamptz, owners uuid[], deal uuid, contact uuid, activity uuid,
    about text[], told json, only_for uuid DEFAULT NULL) RETURNS uuid {DEFINER} AS $$
DECLARE
    event uuid := gen_random_uuid();
    origin text := coalesce(nullif(current_setting('crm.source', true), ''), 'sql');
    head json := json_build_object(VARIADIC ARRAY['id', event::text, 'type', kind,
        'occurred_at', to_json(at) #>> '{{}}', 'source', origin, 'idempotency_key', event::text] || about);
    place bigint;
BEGIN
    INSERT INTO events
        (id, type, occurred_at, owner_ids, deal_id, contact_id, activity_id, source, payload, traceparent)
    VALUES (event, kind, at, owners, deal, contact, activity, origin,
        crm_joined(head, json_build_object('data', told)),
        nullif(current_setting('crm.traceparent', true), ''))
    RETURNING position INTO place;
    INSERT INTO webhook_deliveries (endpoint_id, event_id, position, order_key)
    SELECT w.id, event, place, coalesce(deal, contact)
    FROM webhook_endpoints w JOIN public.owners o ON o.id = w.owner_id
    WHERE w.disabled_at IS NULL AND o.active AND CASE WHEN only_for IS NOT NULL THEN w.id = only_for ELSE
        (w.event_types = '{{}}' OR kind = ANY (w.event_types)) AND (o.role = 'admin' OR w.owner_id = ANY (owners)) END;
    IF FOUND THEN
        PERFORM pg_notify('crm_deliveries', '');
    END IF;
    RETURN event;
END $$
"""

DEAL = f"""
CREATE FUNCTION crm_tell_of_deal() RETURNS trigger {DEFINER} AS $$
DECLARE
    has_moved boolean := TG_OP = 'UPDATE' AND OLD.stage_id <> NEW.stage_id;
    is_erased boolean;
    changes json;
    told json;
    at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at
        WHEN NEW.updated_at <> OLD.updated_at THEN NEW.updated_at ELSE now() END;
BEGIN
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'deal', 'id', NEW.id, 'pipeline_id', NEW.pipeline_id,
        'owner_id', NEW.owner_id, 'old_owner_id', CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner_id ELSE NEW.owner_id END
        )::text);
    SELECT c.erased_at IS NOT NULL INTO is_erased FROM (SELECT) AS one LEFT JOIN contacts c ON c.id = NEW.contact_id;
    IF TG_OP = 'UPDATE' THEN
        changes := crm_told_changes(to_jsonb(OLD), to_jsonb(NEW), CASE WHEN has_moved THEN '{{}}'::text[]
            ELSE ARRAY['lost_reason'] END || ARRAY['title', 'contact_id', 'company_id', 'owner_id', 'amount',
            'currency', 'close_date', 'source', 'notes', 'campaign_id', 'deleted_at'],
            CASE WHEN is_erased THEN ARRAY['title', 'notes'] ELSE '{{}}' END);
        IF changes IS NULL AND NOT has_moved THEN
            RETURN NULL;  -- its place in the column
        END IF;
    END IF;
    SELECT json_build_object('deal', crm_told_deal(d.id), 'stage', crm_told_stage(d.stage_id),
        'pipeline', crm_told_pipeline(d.pipeline_id), 'contact', crm_told_contact(d.contact_id),
        'company', crm_told_company(d.company_id), 'owner', crm_told_owner(d.owner_id))
    INTO told FROM deals d WHERE d.id = NEW.id;
    IF told IS NULL THEN
        RETURN NULL;  -- deleted for good, which only an operator does
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM crm_emit('deal_created', at, array_remove(ARRAY[NEW.owner_id], NULL), NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text], told);
    END IF;
    IF has_moved THEN
        PERFORM crm_emit('deal_stage_changed',
            coalesce((SELECT max(moved_at) FROM deal_stage_history WHERE deal_id = NEW.id
                AND from_stage_id = OLD.stage_id AND to_stage_id = NEW.stage_id AND NEW.updated_at <> OLD.updated_at),
                at),
            array_remove(ARRAY[NEW.owner_id], NULL), NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text, 'old_stage_id', OLD.stage_id::text, 'new_stage_id', NEW.stage_id::text],
            crm_joined(told, json_build_object('old_stage', crm_told_stage(OLD.stage_id),
                'new_stage', crm_told_stage(NEW.stage_id))));
    END IF;
    IF changes IS NOT NULL THEN
        PERFORM crm_emit('deal_updated', at, array_remove(ARRAY[NEW.owner_id], NULL), NEW.id, NEW.contact_id, NULL,
            ARRAY['deal_id', NEW.id::text], crm_joined(told, json_build_object('changes', changes)));
    END IF;
    RETURN NULL;
END $$
"""

CONTACT = f"""
CREATE FUNCTION crm_tell_of_contact() RETURNS trigger {DEFINER} AS $$
DECLARE
    owners uuid[] := array_remove(ARRAY[NEW.owner_id], NULL);
    about text[] := ARRAY['contact_id', NEW.id::text];
    has_status boolean := TG_OP = 'UPDATE' AND OLD.reply_status IS DISTINCT FROM NEW.reply_status;
    at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at
        WHEN NEW.updated_at <> OLD.updated_at THEN NEW.updated_at ELSE now() END;  -- SQL may leave it as it was
    changes json;
    told json;
BEGIN
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'contact', 'id', NEW.id, 'owner_id', NEW.owner_id,
        'old_owner_id', CASE WHEN TG_OP = 'UPDATE' THEN OLD.owner_id ELSE NEW.owner_id END)::text);
    IF TG_OP = 'UPDATE' AND NEW.erased_at IS NOT NULL THEN
        IF OLD.erased_at IS NULL THEN
            PERFORM crm_emit('contact_erased', NEW.erased_at, owners, NULL, NEW.id, NULL, about, '{{}}'::json);
        END IF;
        RETURN NULL;  -- nothing else is told of who was erased
    END IF;
    IF TG_OP = 'UPDATE' THEN
        changes := crm_told_changes(to_jsonb(OLD), to_jsonb(NEW), CASE WHEN has_status THEN '{{}}'::text[]
            ELSE ARRAY['reply_summary', 'needs_review'] END || ARRAY['email', 'full_name', 'title', 'linkedin_url',
            'website', 'phone', 'company_id', 'owner_id', 'lifecycle_stage', 'ooo_until', 'do_not_contact_at',
            'do_not_contact_reason', 'custom', 'deleted_at', 'merged_into_id'], '{{}}');
        IF changes IS NULL AND NOT has_status THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT json_build_object('contact', crm_told_contact(c.id), 'company', crm_told_company(c.company_id),
        'owner', crm_told_owner(c.owner_id)) INTO told FROM contacts c WHERE c.id = NEW.id AND c.erased_at IS NULL;
    IF told IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM crm_emit('contact_created', at, owners, NULL, NEW.id, NULL, about, told);
    END IF;
    IF has_status THEN
        PERFORM crm_emit('contact_status_changed', at, owners, NULL, NEW.id, NULL,
            about || ARRAY['old_status', OLD.reply_status, 'new_status', NEW.reply_status]::text[], told);
    END IF;
    IF changes IS NOT NULL THEN
        PERFORM crm_emit('contact_updated', at, owners, NULL, NEW.id, NULL, about,
            crm_joined(told, json_build_object('changes', changes)));
    END IF;
    RETURN NULL;
END $$
"""

# An entry of the system is left out where its change has an event: not where it is of a task, a label or a company.
ACTIVITY = f"""
CREATE FUNCTION crm_tell_of_activity() RETURNS trigger {DEFINER} AS $$
DECLARE
    a activities;
    owners uuid[];
    told json;
    related text[];
    kind text;
BEGIN
    SELECT * INTO a FROM activities WHERE id = NEW.id;
    IF NOT FOUND OR a.content = '' AND NEW.content <> '' THEN
        RETURN NULL;  -- its person was erased meanwhile
    END IF;
    PERFORM pg_notify('crm_changes', json_build_object('kind', 'activity', 'id', a.id, 'deal_id', a.deal_id,
        'contact_id', a.contact_id)::text);
    IF a.type = 'system' AND NOT a.meta_json ?| ARRAY['task_id', 'label']
        AND num_nonnulls(a.contact_id, a.deal_id) > 0 THEN
        RETURN NULL;
    END IF;
    SELECT array_remove(ARRAY[c.owner_id, CASE WHEN d.owner_id IS DISTINCT FROM c.owner_id THEN d.owner_id END], NULL),
        json_build_object('activity', json_build_object('id', a.id, 'type', a.type, 'content', a.content,
            'meta', a.meta_json, 'occurred_at', a.occurred_at, 'due_at', a.due_at, 'assignee_id', a.assignee_id),
            'deal', crm_told_deal(d.id), 'stage', crm_told_stage(d.stage_id), 'contact', crm_told_contact(c.id),
            'company', crm_told_company(coalesce(a.company_id, d.company_id, c.company_id)),
            'owner', crm_told_owner(coalesce(d.owner_id, c.owner_id)))
    INTO owners, told
    FROM (SELECT) AS one LEFT JOIN deals d ON d.id = a.deal_id LEFT JOIN contacts c ON c.id = a.contact_id;
    related := CASE WHEN a.deal_id IS NOT NULL THEN ARRAY['deal', a.deal_id::text]
        WHEN a.contact_id IS NOT NULL THEN ARRAY['contact', a.contact_id::text]
        ELSE ARRAY['company', a.company_id::text] END;
    kind := CASE
        WHEN a.type = 'email_in' THEN 'reply_received'
        WHEN a.type = 'no_show' AND a.meta_json ->> 'no_show' IS DISTINCT FROM 'false' THEN 'meeting_no_show'
        WHEN a.type = 'meeting' AND a.meta_json ->> 'event' = 'BOOKING_RESCHEDULED' THEN 'meeting_rescheduled'
        WHEN a.type = 'meeting' AND a.meta_json ->> 'event' = 'BOOKING_CANCELLED' THEN 'meeting_cancelled'
        WHEN a.type = 'meeting' AND a.arranges THEN 'meeting_booked' END;
    PERFORM crm_emit(told_as, a.occurred_at, owners, a.deal_id, a.contact_id, a.id,
        ARRAY['activity_id', a.id::text, 'related_type', related[1], 'related_id', related[2]], told)
    FROM unnest(ARRAY['activity_logged', kind]) AS told_as WHERE told_as IS NOT NULL;
    RETURN NULL;
END $$
"""

# Told to everybody else who may hear of it: the endpoint itself is disabled.
ENDPOINT = f"""
CREATE FUNCTION crm_tell_of_endpoint() RETURNS trigger {DEFINER} AS $$
BEGIN
    PERFORM crm_emit('endpoint_disabled', NEW.disabled_at, ARRAY[NEW.owner_id], NULL, NULL, NULL,
        ARRAY['endpoint_id', NEW.id::text], json_build_object('endpoint', json_build_object('id', NEW.id,
            'url', NEW.url, 'disabled_reason', NEW.disabled_reason, 'failing_since', NEW.failing_since),
            'owner', crm_told_owner(NEW.owner_id)));
    RETURN NULL;
END $$;
CREATE FUNCTION crm_test_endpoint(endpoint uuid, at timestamptz) RETURNS uuid {DEFINER} AS $$
    BEGIN
        RETURN crm_emit('test', at, '{{}}', NULL, NULL, NULL, ARRAY['endpoint_id', endpoint::text],
            json_build_object('message', 'crm-graph can reach this endpoint'), endpoint);
    END
$$
"""

# What an endpoint still waits for is kept, unless it was disabled longer ago than that. An array, because a plan may
# run a subquery in IN more than once, each time with other rows that are not locked yet.
FORGET = f"""
CREATE FUNCTION crm_forget_events(before timestamptz, at_most integer) RETURNS integer {DEFINER} AS $$
DECLARE
    deliveries integer;
    told integer;
BEGIN
    DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM webhook_deliveries WHERE settled_at < before
        ORDER BY settled_at LIMIT at_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS deliveries = ROW_COUNT;
    DELETE FROM events WHERE id = ANY (ARRAY(
        SELECT id FROM events e WHERE created_at < before AND NOT EXISTS (
            SELECT FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
            WHERE d.event_id = e.id AND (d.settled_at >= before
                OR d.settled_at IS NULL AND (w.disabled_at IS NULL OR w.disabled_at >= before)))
        ORDER BY created_at, position LIMIT at_most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS told = ROW_COUNT;
    RETURN deliveries + told;
END $$
"""

DEFERRED = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
TRIGGERS = {
    "crm_deal_made": f"AFTER INSERT ON deals {DEFERRED} EXECUTE FUNCTION crm_tell_of_deal()",
    "crm_deal_changed": f"AFTER UPDATE ON deals {DEFERRED} EXECUTE FUNCTION crm_tell_of_deal()",
    "crm_contact_made": f"AFTER INSERT ON contacts {DEFERRED} EXECUTE FUNCTION crm_tell_of_contact()",
    "crm_contact_changed": f"AFTER UPDATE ON contacts {DEFERRED} EXECUTE FUNCTION crm_tell_of_contact()",
    "crm_activity_made": f"AFTER INSERT ON activities {DEFERRED} EXECUTE FUNCTION crm_tell_of_activity()",
    "crm_endpoint_disabled": f"AFTER UPDATE ON webhook_endpoints {DEFERRED} "
    "WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL AND NEW.disabled_reason <> 'by its owner') "
    "EXECUTE FUNCTION crm_tell_of_endpoint()",
}
FUNCTIONS = (
    "crm_forget_events",
    "crm_test_endpoint",
    "crm_tell_of_endpoint",
    "crm_tell_of_activity",
    "crm_tell_of_contact",
    "crm_tell_of_deal",
    "crm_emit",
    "crm_joined",
    "crm_told_changes",
    "crm_told_value",
    "crm_told_owner",
    "crm_told_company",
    "crm_told_pipeline",
    "crm_told_stage",
    "crm_told_deal",
    "crm_told_contact",
)


def upgrade() -> None:
    for statements in (PARTS, EMIT, DEAL, CONTACT, ACTIVITY, ENDPOINT, FORGET):
        for statement in statements.split("$$;\n"):
            op.get_bind().exec_driver_sql(statement if statement.rstrip().endswith("$$") else f"{statement}$$")
    op.execute("REVOKE EXECUTE ON FUNCTION crm_emit, crm_test_endpoint, crm_forget_events FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION crm_test_endpoint, crm_forget_events TO app_user")
    for name, definition in TRIGGERS.items():
        op.execute(f"CREATE CONSTRAINT TRIGGER {name} {definition}")


def downgrade() -> None:
    for name, definition in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {name} ON {definition.split()[3]}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
