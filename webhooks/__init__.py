"""The ingest side: what providers send, verified, stored once and applied once."""
