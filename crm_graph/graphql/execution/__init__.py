"""What resolvers run in: the context, reads, and the transaction around each mutation."""
