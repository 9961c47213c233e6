"""CSV files in and out."""
