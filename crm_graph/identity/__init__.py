"""Who is calling, and which rows they may see."""
