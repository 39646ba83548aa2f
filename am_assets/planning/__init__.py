"""The questions of `am`: what is stale and why, what an apply would do and cost, what if, why this row, what differs.

What is said of it in a terminal belongs to `cli`.
"""
