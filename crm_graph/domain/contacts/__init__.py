"""Contacts: created, changed, owned, merged, erased; and the status of their replies."""
