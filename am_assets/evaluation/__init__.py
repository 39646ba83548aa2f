"""The stage of evaluation: scores of students, and the report of a recipe."""
