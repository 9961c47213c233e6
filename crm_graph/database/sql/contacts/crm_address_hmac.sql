-- HMAC-SHA256 (RFC 2104) of an e-mail address in normal form, with the key of this database (suppression_key).
--
-- Suppressions of erased contacts are stored as this value. Without the key, anybody who reads the table could try a
-- list of guessed addresses. The key is stored as the two padded keys of the RFC, ready to be hashed.
CREATE OR REPLACE FUNCTION crm_address_hmac(address text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT sha256(outer_pad || sha256(inner_pad || convert_to(address, 'UTF8'))) FROM suppression_key
$$;
