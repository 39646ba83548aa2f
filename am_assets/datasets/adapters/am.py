"""The AM data set, as published: conversations of two messages, with reference, tests and teacher in `info`."""

import json

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, require
from am_assets.datasets.locate import SourceError
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    roles = pl.concat_str("first_role", "second_role", separator=" ") == "user assistant"
    require(frame, file, roles & pl.col("third").is_null(), "messages: expected one user and one assistant message")
    tests = [_tests(value, f"{file}:{line}") for line, value in frame.select("line", "test_case").iter_rows()]
    return frame.with_columns(
        pl.Series("test_code", [code for code, _ in tests], dtype=pl.String),
        pl.Series("test_entry_point", [entry_point for _, entry_point in tests], dtype=pl.String),
    )


def _tests(test_case: str | None, where: str) -> tuple[str | None, str | None]:
    """Code and entry point. Published rows hold a struct, the same struct as JSON text, plain test code, or null."""
    if test_case is None or not test_case.strip():
        return None, None
    try:
        tests = json.loads(test_case)
    except ValueError:
        return test_case, None
    fields = tests if isinstance(tests, dict) else {}
    code, entry_point = fields.get("test_code"), fields.get("test_entry_point")
    if not isinstance(code, str) or not isinstance(entry_point, str | None):
        raise SourceError(f"{where}: test_case: expected test_code (text) and test_entry_point (text or null)")
    return code, entry_point


ADAPTER = Adapter(
    columns(
        "messages.0.content",
        reference_answer=Column("messages.0.info.reference_answer", "scalar"),
        test_case=Column("messages.0.info.test_case", "json"),
        response=Column("messages.1.content", required=True),
        teacher=Column("messages.1.info.source"),
        first_role=Column("messages.0.role", required=True),
        second_role=Column("messages.1.role", required=True),
        third=Column("messages.2", "json"),
    ),
    parts,
    version="1",
    doc="[AM-DeepSeek-R1-Distilled](https://arxiv.org/abs/2503.19633) as published, with its responses",
)
