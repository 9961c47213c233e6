"""Outgoing webhooks: endpoints, payloads, the queue, signed and retried sending, replay."""
