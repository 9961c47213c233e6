"""Outgoing HTTP that is safe against SSRF: normalized URLs, checked addresses, a client that posts."""
