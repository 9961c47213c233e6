"""Companies, and which one a contact belongs to."""
