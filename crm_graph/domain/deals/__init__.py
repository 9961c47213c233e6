"""Deals: their fields, their moves through the stages, their order in a column."""
