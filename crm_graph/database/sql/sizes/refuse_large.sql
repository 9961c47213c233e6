-- Sizes: refuse values that are larger than what the API accepts. The last line, behind the checks in Python.
--
-- Triggers and not CHECK constraints: a row that was stored before there were limits must stay editable. So an update
-- is refused only if it makes a large value larger. Bytes, of JSON as of text; a character has at most four.
CREATE OR REPLACE FUNCTION crm_refuse_large() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stored jsonb := to_jsonb(NEW);
    size integer;
BEGIN
    FOR place IN 0 .. TG_NARGS - 1 BY 2 LOOP
        size := octet_length(stored ->> TG_ARGV[place]);
        IF size > TG_ARGV[place + 1]::integer THEN
            RAISE EXCEPTION '% of % has % bytes; the limit is %',
                TG_ARGV[place], TG_TABLE_NAME, size, TG_ARGV[place + 1]
                USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[place];
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER crm_contacts_size_of_new BEFORE INSERT ON contacts FOR EACH ROW
    WHEN (octet_length(NEW.custom::text) > 65536 OR octet_length(NEW.full_name) > 2000
        OR octet_length(NEW.title) > 2000 OR octet_length(NEW.linkedin_url) > 2000
        OR octet_length(NEW.website) > 2000 OR octet_length(NEW.phone) > 2000
        OR octet_length(NEW.reply_summary) > 2000 OR octet_length(NEW.do_not_contact_reason) > 2000)
    EXECUTE FUNCTION crm_refuse_large('custom', '65536', 'full_name', '2000', 'title', '2000',
        'linkedin_url', '2000', 'website', '2000', 'phone', '2000', 'reply_summary', '2000',
        'do_not_contact_reason', '2000');
CREATE OR REPLACE TRIGGER crm_contacts_size_of_changed BEFORE UPDATE ON contacts FOR EACH ROW
    WHEN (octet_length(NEW.custom::text) > greatest(65536, octet_length(OLD.custom::text))
        OR octet_length(NEW.full_name) > greatest(2000, octet_length(OLD.full_name))
        OR octet_length(NEW.title) > greatest(2000, octet_length(OLD.title))
        OR octet_length(NEW.linkedin_url) > greatest(2000, octet_length(OLD.linkedin_url))
        OR octet_length(NEW.website) > greatest(2000, octet_length(OLD.website))
        OR octet_length(NEW.phone) > greatest(2000, octet_length(OLD.phone))
        OR octet_length(NEW.reply_summary) > greatest(2000, octet_length(OLD.reply_summary))
        OR octet_length(NEW.do_not_contact_reason) > greatest(2000, octet_length(OLD.do_not_contact_reason)))
    EXECUTE FUNCTION crm_refuse_large('custom', '65536', 'full_name', '2000', 'title', '2000',
        'linkedin_url', '2000', 'website', '2000', 'phone', '2000', 'reply_summary', '2000',
        'do_not_contact_reason', '2000');

CREATE OR REPLACE TRIGGER crm_companies_size_of_new BEFORE INSERT ON companies FOR EACH ROW
    WHEN (octet_length(NEW.enrichment_json::text) > 65536 OR octet_length(NEW.name) > 2000
        OR octet_length(NEW.location) > 2000 OR octet_length(NEW.size) > 2000 OR octet_length(NEW.industry) > 2000
        OR octet_length(NEW.website) > 2000 OR octet_length(NEW.linkedin_url) > 2000)
    EXECUTE FUNCTION crm_refuse_large('enrichment_json', '65536', 'name', '2000', 'location', '2000',
        'size', '2000', 'industry', '2000', 'website', '2000', 'linkedin_url', '2000');
CREATE OR REPLACE TRIGGER crm_companies_size_of_changed BEFORE UPDATE ON companies FOR EACH ROW
    WHEN (octet_length(NEW.enrichment_json::text) > greatest(65536, octet_length(OLD.enrichment_json::text))
        OR octet_length(NEW.name) > greatest(2000, octet_length(OLD.name))
        OR octet_length(NEW.location) > greatest(2000, octet_length(OLD.location))
        OR octet_length(NEW.size) > greatest(2000, octet_length(OLD.size))
        OR octet_length(NEW.industry) > greatest(2000, octet_length(OLD.industry))
        OR octet_length(NEW.website) > greatest(2000, octet_length(OLD.website))
        OR octet_length(NEW.linkedin_url) > greatest(2000, octet_length(OLD.linkedin_url)))
    EXECUTE FUNCTION crm_refuse_large('enrichment_json', '65536', 'name', '2000', 'location', '2000',
        'size', '2000', 'industry', '2000', 'website', '2000', 'linkedin_url', '2000');

CREATE OR REPLACE TRIGGER crm_deals_size_of_new BEFORE INSERT ON deals FOR EACH ROW
    WHEN (octet_length(NEW.notes) > 400000 OR octet_length(NEW.title) > 2000 OR octet_length(NEW.source) > 2000
        OR octet_length(NEW.campaign_id) > 2000 OR octet_length(NEW.lost_reason) > 2000)
    EXECUTE FUNCTION crm_refuse_large('notes', '400000', 'title', '2000', 'source', '2000', 'campaign_id', '2000',
        'lost_reason', '2000');
CREATE OR REPLACE TRIGGER crm_deals_size_of_changed BEFORE UPDATE ON deals FOR EACH ROW
    WHEN (octet_length(NEW.notes) > greatest(400000, octet_length(OLD.notes))
        OR octet_length(NEW.title) > greatest(2000, octet_length(OLD.title))
        OR octet_length(NEW.source) > greatest(2000, octet_length(OLD.source))
        OR octet_length(NEW.campaign_id) > greatest(2000, octet_length(OLD.campaign_id))
        OR octet_length(NEW.lost_reason) > greatest(2000, octet_length(OLD.lost_reason)))
    EXECUTE FUNCTION crm_refuse_large('notes', '400000', 'title', '2000', 'source', '2000', 'campaign_id', '2000',
        'lost_reason', '2000');

CREATE OR REPLACE TRIGGER crm_activities_size_of_new BEFORE INSERT ON activities FOR EACH ROW
    WHEN (octet_length(NEW.content) > 400000 OR octet_length(NEW.meta_json::text) > 1000000)
    EXECUTE FUNCTION crm_refuse_large('content', '400000', 'meta_json', '1000000');
CREATE OR REPLACE TRIGGER crm_activities_size_of_changed BEFORE UPDATE ON activities FOR EACH ROW
    WHEN (octet_length(NEW.content) > greatest(400000, octet_length(OLD.content))
        OR octet_length(NEW.meta_json::text) > greatest(1000000, octet_length(OLD.meta_json::text)))
    EXECUTE FUNCTION crm_refuse_large('content', '400000', 'meta_json', '1000000');

CREATE OR REPLACE TRIGGER crm_webhook_endpoints_size_of_new BEFORE INSERT ON webhook_endpoints FOR EACH ROW
    WHEN (octet_length(NEW.headers::text) > 131072)
    EXECUTE FUNCTION crm_refuse_large('headers', '131072');
CREATE OR REPLACE TRIGGER crm_webhook_endpoints_size_of_changed BEFORE UPDATE ON webhook_endpoints FOR EACH ROW
    WHEN (octet_length(NEW.headers::text) > greatest(131072, octet_length(OLD.headers::text)))
    EXECUTE FUNCTION crm_refuse_large('headers', '131072');

CREATE OR REPLACE TRIGGER crm_idempotency_keys_size_of_new BEFORE INSERT ON idempotency_keys FOR EACH ROW
    WHEN (octet_length(NEW.result::text) > 1000000)
    EXECUTE FUNCTION crm_refuse_large('result', '1000000');
CREATE OR REPLACE TRIGGER crm_idempotency_keys_size_of_changed BEFORE UPDATE ON idempotency_keys FOR EACH ROW
    WHEN (octet_length(NEW.result::text) > greatest(1000000, octet_length(OLD.result::text)))
    EXECUTE FUNCTION crm_refuse_large('result', '1000000');
