"""crm-graph: signed webhooks in, one GraphQL API, one CRM in PostgreSQL."""
