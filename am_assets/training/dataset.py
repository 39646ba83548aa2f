"""The released dataset: its table, and its rows in the AM schema.

Format only: `verified_set` decides which responses are released, `release.py` writes them, and `sft.py` trains on them.
"""

from typing import Any

import polars as pl

from am_assets.runtime.wording import counted
from am_assets.storage.schemas import SftDataset

VERSION = "3"  # raise when the released format changes
TURN = pl.format("<think>{}</think>\n<answer>{}</answer>", "think", "answer")  # `assistant_turn` of a frame
NOT_TRAINED_ON = ["license", "replaced_reference", "pass_rate", "extra"]  # columns that make no difference to a student


def sft_table(verified: pl.DataFrame, features: pl.DataFrame, pool: pl.DataFrame, extra: bool = False) -> pl.DataFrame:
    """SftDataset, sorted by response_id: the kept rows of VerifiedSet with the texts of ResponseFeatures and RawPool.

    For a question in several shards, text, reference and tests are those of the response's own source. A repaired
    reference takes the place of the source's. `extra` of the pool is released on request. `ValueError` if a kept
    response has no question, think or answer text.

    >>> sft_table(verified_set, response_features, raw_pool)
    """
    columns = ["source", "question_id", "question", "reference_answer", "test_cases", "license", "extra"]
    pool = pool if extra else pool.with_columns(extra=pl.lit(None, pl.String))
    questions = pool.select(columns).sort(columns).unique(["source", "question_id"], keep="first", maintain_order=True)
    table = (
        verified.filter("kept")
        .join(features.select("response_id", "think", "answer"), on="response_id", how="left")
        .join(questions.rename({"test_cases": "test_case"}), on=["source", "question_id"], how="left")
        .with_columns(
            reference_answer=pl.coalesce("repaired_reference", "reference_answer"),
            replaced_reference=pl.when(pl.col("repaired_reference").is_not_null()).then("reference_answer"),
        )
        .select(SftDataset.column_names())
        .sort("response_id")
    )
    holes = table.filter(pl.any_horizontal(pl.col("question", "think", "answer").is_null()))
    if len(holes):
        raise ValueError(
            f"{counted(len(holes), 'kept response')} without question or without think and answer parts, first "
            f"{holes['response_id'][0]}: materialize raw_pool, response_features and verified_set again"
        )
    return table


def assistant_turn(think: str, answer: str) -> str:
    return f"<think>{think}</think>\n<answer>{answer}</answer>"


def am_record(row: dict[str, Any]) -> dict[str, Any]:
    """A row of SftDataset in the schema of AM-DeepSeek-R1-Distilled: exactly two messages.

    `test_case` is a JSON string or null; the original's card declares a struct, for which it fails to load.
    """
    asked = {key: row[key] for key in ("source", "reference_answer", "test_case")}
    answered = {"source": row["source"], "think_content": row["think"], "answer_content": row["answer"]}
    turn = assistant_turn(row["think"], row["answer"])
    return {
        "messages": [
            {"role": "user", "content": row["question"], "info": asked},
            {"role": "assistant", "content": turn, "info": answered},
        ]
    }
