"""The queries' schema: types bound to tables, filters, orders, connections, reports."""
