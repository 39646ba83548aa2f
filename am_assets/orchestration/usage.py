"""What models were asked for a table, and what that cost."""

from typing import Any

import polars as pl

from am_assets.storage.memo import FillResult


def usage(filled: FillResult) -> dict[str, Any]:
    """Metadata of a table of model answers: requests, tokens and dollars of this run, and of the whole table."""
    table, new = filled.table, filled.new
    return {
        "requests": new.height,
        "requests_reused": table.height - new.height,
        "prompt_tokens": _total(new, "prompt_tokens"),
        "completion_tokens": _total(new, "completion_tokens"),
        "cost_usd": float(_total(new, "cost")),
        "table_tokens": _total(table, "prompt_tokens") + _total(table, "completion_tokens"),
        "table_cost_usd": float(_total(table, "cost")),
    }


def _total(frame: pl.DataFrame, column: str) -> Any:
    return (frame[column].sum() or 0) if column in frame.columns else 0
