"""Outgoing HTTP that a hostile network can't abuse: URLs in normal form, judged addresses, one POST."""
