"""Explanation of one question under a recipe: its measurements, decisions, and the fields that decided."""
