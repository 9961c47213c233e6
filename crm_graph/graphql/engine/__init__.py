"""The selection compiler: a document's selection becomes one SQL statement that builds the JSON."""
