"""What the CRM does: functions that change rows inside the caller's transaction and never commit."""
