-- Refuses a contact's new address that leads to another contact as a further one: the two tables share no unique index.
--
-- It runs after the unique index of contacts has let the row pass, so it sees what others committed meanwhile.
CREATE OR REPLACE FUNCTION crm_address_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM public.contact_emails WHERE email = NEW.email AND contact_id <> NEW.id
        AND contact_id IS DISTINCT FROM NEW.merged_into_id;
    IF FOUND THEN
        RAISE serialization_failure USING MESSAGE = 'the address leads to another contact';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS crm_address_of_new_is_free ON contacts;
CREATE TRIGGER crm_address_of_new_is_free AFTER INSERT ON contacts
    FOR EACH ROW EXECUTE FUNCTION crm_address_is_free();
DROP TRIGGER IF EXISTS crm_address_is_free ON contacts;
CREATE TRIGGER crm_address_is_free AFTER UPDATE OF email ON contacts
    FOR EACH ROW WHEN (OLD.email <> NEW.email) EXECUTE FUNCTION crm_address_is_free();
