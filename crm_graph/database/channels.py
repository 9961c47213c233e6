"""The channels of LISTEN and NOTIFY, named as the triggers in database/sql notify them; a test compares both."""

CHANGES = "crm_changes"  # a deal, a contact or an activity was created or changed: what subscriptions show
DELIVERIES = "crm_deliveries"  # a delivery is due: what the worker waits for
