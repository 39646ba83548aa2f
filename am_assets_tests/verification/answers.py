"""Answers with programs, and tests of them, as test modules share them."""

import json
from typing import Any

import polars as pl

from am_assets.config.instruments import Code
from am_assets.verification.verifiers.code import verify

LIMITS = Code(timeout_seconds=2, memory_mb=256)
QUICK = Code(timeout_seconds=1.5, total_seconds=20, memory_mb=256)
ADD = "def add(a, b):\n    return a + b\n"
CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3"


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}```"


def cases(test_code: str | list[str], entry_point: str | None = None) -> str:
    return json.dumps({"test_code": test_code, "test_entry_point": entry_point})


def verdicts(*rows: tuple[str | None, str | None], instrument: Code = LIMITS) -> list[dict[str, Any]]:
    """Verdicts of (answer, test_cases) rows, in the order of the rows."""
    jobs = [{"key": f"{n:03}", "answer": answer, "test_cases": tests} for n, (answer, tests) in enumerate(rows)]
    frame = pl.DataFrame(jobs, schema={"key": pl.String, "answer": pl.String, "test_cases": pl.String})
    return pl.concat(verify(frame, instrument)).sort("key").to_dicts()
