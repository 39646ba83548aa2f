"""Difference of two recipes: the rows that only one of them keeps, and why."""
