-- Keeps writers out of webhooks_log until the transaction ends; readers go on.
--
-- An erasure takes it first. Every incoming webhook is written there before it has an effect, so one that mentions the
-- person was either applied in full before, or comes after the person is erased.
LOCK TABLE webhooks_log IN EXCLUSIVE MODE;
