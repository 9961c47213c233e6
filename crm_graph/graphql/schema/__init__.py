"""The schema of queries and subscriptions: types over tables, filters, orders, connections, reports."""
