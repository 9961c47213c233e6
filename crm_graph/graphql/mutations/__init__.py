"""What GraphQL can change: a file for each kind of row, with its inputs, payloads and mutation fields."""
