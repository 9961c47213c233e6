"""Why an endpoint is disabled: the texts of `disabled_reason`."""

from datetime import timedelta

DISABLE_AFTER = timedelta(days=5)  # without a successful attempt

BY_OWNER = "by its owner"  # emits no endpoint_disabled event; sql/events/endpoint_disabled.sql has this text, too
GONE = "it answered 410 Gone"
FAILING = f"it has failed for {DISABLE_AFTER.days} days"
