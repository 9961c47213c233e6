"""Incoming webhooks: the router verifies them, a package per provider translates them, the inbox applies them once."""
