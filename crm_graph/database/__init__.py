"""PostgreSQL: connections, transactions, compiled statements, notifications, the job queue, migrations."""
