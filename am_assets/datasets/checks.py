"""What the answer to a question can be checked by, as expressions over RawPool: a reference answer, tests, constraints.

Presence only: what a check finds belongs to the stage of verification.
"""

import polars as pl

HAS_REFERENCE = pl.col("reference_answer").is_not_null()
HAS_TESTS = pl.col("test_cases").is_not_null()
HAS_CONSTRAINTS = pl.col("constraints").is_not_null()
# By the name of the column that holds it in tables below the pool.
CHECKS = {"has_reference": HAS_REFERENCE, "has_tests": HAS_TESTS, "has_constraints": HAS_CONSTRAINTS}
