-- What a PostGraphile user writes for the same work: one function for each mutation, called by its generated field.
-- Created in the benchmarks' own copy of the database. The caller names the owner; nothing here checks a token.

-- The fractional index before `key`: its whole part, or where it is whole already, one less. Null: the first key.
CREATE FUNCTION bench_key_before(key text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  digits constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  head text := left(key, 1);
  size integer := CASE WHEN head >= 'a' THEN ascii(head) - ascii('a') + 1 ELSE ascii('Z') - ascii(head) + 1 END;
  whole text := substr(key, 2, size);
  digit integer;
BEGIN
  IF key IS NULL THEN
    RETURN 'a0';
  END IF;
  IF length(key) > size + 1 THEN
    RETURN head || whole;
  END IF;
  FOR place IN REVERSE size..1 LOOP
    digit := strpos(digits, substr(whole, place, 1)) - 1;
    IF digit > 0 THEN
      RETURN head || overlay(whole PLACING substr(digits, digit, 1) FROM place FOR 1);
    END IF;
    whole := overlay(whole PLACING 'z' FROM place FOR 1);
  END LOOP;
  IF head = 'a' THEN
    RETURN 'Zz';
  END IF;
  RETURN chr(ascii(head) - 1) || CASE WHEN head > 'a' THEN left(whole, size - 1) ELSE whole || 'z' END;
END
$$;

-- Once for each key: of two calls at once the second waits here, and fails when the first is committed.
CREATE FUNCTION bench_take_key(caller uuid, called text, call_key text, input text, kept jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO idempotency_keys (owner_id, operation, key, request_hash, result, created_at)
  VALUES (caller, called, call_key, sha256(convert_to(input, 'UTF8')), kept, now()) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the key % was used already', call_key;
  END IF;
END
$$;

CREATE FUNCTION bench_move_deal_stage(caller uuid, moved_deal uuid, to_stage uuid, call_key text)
RETURNS deals LANGUAGE plpgsql AS $$
DECLARE
  deal deals;
  before pipeline_stages;
  target pipeline_stages;
  at timestamptz;
BEGIN
  PERFORM bench_take_key(caller, 'moveDealStage', call_key, moved_deal || ' ' || to_stage,
                         jsonb_build_object('deal', moved_deal));
  SELECT * INTO deal FROM deals
  WHERE id = moved_deal AND (owner_id = caller OR owner_id IS NULL) AND deleted_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deal not found';
  END IF;
  SELECT * INTO target FROM pipeline_stages
  WHERE id = to_stage AND pipeline_id = deal.pipeline_id AND deleted_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'stage not found';
  END IF;
  IF target.id = deal.stage_id THEN
    RETURN deal;
  END IF;
  SELECT * INTO before FROM pipeline_stages WHERE id = deal.stage_id;
  SELECT greatest(now(), max(moved_at) + interval '1 microsecond') INTO at FROM deal_stage_history
  WHERE deal_id = deal.id;
  UPDATE deals SET
    stage_id = target.id, status = target.kind, version = version + 1, updated_at = now(),
    lost_reason = CASE WHEN target.kind = 'lost' THEN lost_reason END,
    rank = bench_key_before(crm_lock_column(target.id, deal.id))
  WHERE id = deal.id RETURNING * INTO deal;
  INSERT INTO deal_stage_history (deal_id, from_stage_id, to_stage_id, moved_at, moved_by, source)
  VALUES (deal.id, before.id, target.id, at, caller, 'graphql');
  INSERT INTO activities (type, deal_id, content, meta_json, created_by, occurred_at)
  VALUES ('system', deal.id, before.name || ' -> ' || target.name,
          jsonb_build_object('source', 'graphql', 'from_stage', before.key, 'to_stage', target.key), caller, at);
  RETURN deal;
END
$$;

CREATE FUNCTION bench_upsert_contact(caller uuid, address text, new_title text, call_key text)
RETURNS contacts LANGUAGE plpgsql AS $$
DECLARE
  at_domain constant text := split_part(address, '@', 2);
  company uuid;
  contact contacts;
  changes jsonb;
BEGIN
  SELECT * INTO contact FROM contacts
  WHERE (email = address AND merged_into_id IS NULL
         OR id = (SELECT contact_id FROM contact_emails WHERE contact_emails.email = address)) FOR NO KEY UPDATE;
  IF FOUND AND (contact.deleted_at IS NOT NULL OR contact.owner_id <> caller) THEN
    RAISE EXCEPTION 'the address is a colleague''s, or a deleted contact''s';
  END IF;
  IF FOUND THEN
    changes := jsonb_build_object('title', jsonb_build_object('old', contact.title, 'new', new_title));
    UPDATE contacts SET title = new_title, version = version + 1, updated_at = now()
    WHERE id = contact.id RETURNING * INTO contact;
    INSERT INTO activities (type, contact_id, content, meta_json, created_by, occurred_at)
    VALUES ('system', contact.id, 'Contact changed: title',
            jsonb_build_object('source', 'graphql', 'changes', changes), caller, now());
  ELSIF EXISTS (SELECT 1 FROM suppressions WHERE address_hmac = crm_address_hmac(address)) THEN
    RAISE EXCEPTION 'this person was erased';
  ELSE
    SELECT id INTO company FROM companies WHERE domain = at_domain;
    IF NOT FOUND THEN
      INSERT INTO companies (name, name_key, domain) VALUES (at_domain, translate(at_domain, '.-', '  '), at_domain)
      RETURNING id INTO company;
    END IF;
    INSERT INTO contacts (email, title, company_id, owner_id, owner_source, custom)
    VALUES (address, new_title, company, caller, 'person', '{}') RETURNING * INTO contact;
  END IF;
  PERFORM bench_take_key(caller, 'upsertContact', call_key, address || ' ' || new_title,
                         jsonb_build_object('contact', contact.id));
  RETURN contact;
END
$$;
