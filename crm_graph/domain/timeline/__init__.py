"""Activities on a timeline, and tasks."""
