"""The selection compiler: turns the selection of a document into one SQL statement that builds the JSON."""
