"""Side-by-side benchmarks: crm-graph, what others would build, and what PostgreSQL itself can do. `make bench`."""
