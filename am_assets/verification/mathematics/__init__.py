"""What the final result of an answer is, and whether it equals a reference: pure rules over strings and formulas."""
