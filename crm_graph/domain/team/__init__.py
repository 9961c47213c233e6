"""The team: owners, their mailboxes, and handing over the work of one who leaves."""
