"""The GraphQL API: types bound to tables, a compiler from selections to SQL, and mutations that call the verbs."""
