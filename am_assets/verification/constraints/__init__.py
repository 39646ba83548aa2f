"""Whether an answer keeps the constraints of its question, by the checkers of others."""
