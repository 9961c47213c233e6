"""The crm-graph command."""
