"""Who the caller is, and which rows the caller may see."""
