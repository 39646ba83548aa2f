"""The released dataset: the decision on its rows, and the rows with their texts in the forms that are released.

`verified_set` decides which responses are released, `release.py` writes them, and `sft.py` trains on what was written.
The table holds no text: of each row it has a hash of all that is released of it, so that a changed row is known without
reading one.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import polars as pl

from am_assets.runtime.wording import counted
from am_assets.storage.schemas import SftDataset

VERSION = "4"  # raise when the released format changes
OPENS, ANSWERS, CLOSES = "<think>", "</think>\n<answer>", "</answer>"  # around the parts of an assistant's turn
TURN = pl.format(f"{OPENS}{{}}{ANSWERS}{{}}{CLOSES}", "think", "answer")  # `assistant_turn` of a frame
# What is read of a response's verdict, of its features and of its question.
KEPT = ["response_id", "question_id", "shard", "source", "category", "difficulty", "teacher", "pass_rate",
        "repaired_reference"]  # fmt: skip
FEATURES = ["response_id", "template", "think_chars", "answer_chars", "answer_language"]
QUESTION = ["question_id", "question", "reference_answer", "test_cases", "license", "extra"]
BILLIONTHS = 1_000_000_000  # in which a rate is hashed: how a fraction is printed may change


def question_facts(pool: pl.DataFrame) -> pl.DataFrame:
    """Of QUESTION: what the decision holds of questions, and a hash of all that is released of them."""
    texts = ["question", "reference_answer", "test_cases", "extra"]
    return pool.select(
        "question_id",
        "license",
        question_chars=pl.col("question").str.len_chars(),
        texts_chars=pl.sum_horizontal(pl.col(texts).str.len_chars().fill_null(0)),
        referenced=pl.col("reference_answer").is_not_null(),
        tested=pl.col("test_cases").is_not_null(),
        has_extra=pl.col("extra").is_not_null(),
        asked=hashes(pool, [*texts, "license"]),
    )


def without_extra(pool: pl.DataFrame) -> pl.DataFrame:
    """QUESTION of a recipe that does not release what sources carry along."""
    return pool.with_columns(extra=pl.lit(None, pl.String))


def sft_rows(kept: pl.DataFrame, features: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    """SftDataset of one shard, sorted by response_id, with `repaired_reference` and `has_extra` beside: KEPT of its
    kept responses, their FEATURES, and the `question_facts` of that shard. A repaired reference takes the place of the
    source's. `ValueError` if a response has no question, think or answer.

    >>> sft_rows(verified_set.filter("kept"), response_features, question_facts(raw_pool))
    """
    rows = (
        kept.select(KEPT)
        .join(features.select(FEATURES), on="response_id", how="left")
        .join(questions, on="question_id", how="left")
        .sort("response_id")
    )
    if holes := rows.filter(pl.any_horizontal(pl.col("asked", "template").is_null()))["response_id"].to_list():
        raise ValueError(
            f"{counted(len(holes), 'kept response')} without question or without think and answer parts, first "
            f"{holes[0]}: materialize raw_pool, response_features and verified_set again"
        )
    referenced = pl.col("referenced") | pl.col("repaired_reference").is_not_null()
    check = pl.when("tested").then(pl.lit("test case")).when(referenced).then(pl.lit("reference answer"))
    rows = rows.with_columns(
        check=check.otherwise(pl.lit("neither")),
        chars=pl.sum_horizontal("texts_chars", "think_chars", "answer_chars").cast(pl.UInt32),
        rate=(pl.col("pass_rate") * BILLIONTHS).round().cast(pl.Int64).cast(pl.String),
    )
    released = ["response_id", "source", "category", "difficulty", "teacher", "rate", "repaired_reference", "asked"]
    rows = rows.with_columns(content=hashes(rows, released))
    return rows.select(*SftDataset.column_names(), "repaired_reference", "has_extra")


def hashes(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """A hash of some columns of text, row by row, in which no value runs into the next and null is none of them."""
    pieces = [
        pl.concat_str(pl.col(name).str.len_bytes().cast(pl.String), pl.lit(":"), name).fill_null("-")
        for name in columns
    ]
    joined = rows.select(pl.concat_str(pieces)).to_series()
    return pl.Series([sha256(text.encode()).hexdigest()[:32] for text in joined], dtype=pl.String)


def content(hashed: Iterable[str]) -> str:
    """One hash of the `content` of rows in their order."""
    return sha256("\n".join(hashed).encode()).hexdigest()[:32]


def with_texts(rows: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    """Rows of `sft_rows` that have `think` and `answer` with the texts of their QUESTION, as they are released."""
    asked = questions.rename({"test_cases": "test_case"}).drop("license")
    repaired = pl.col("repaired_reference")
    return rows.join(asked, on="question_id", how="left", maintain_order="left").with_columns(
        reference_answer=pl.coalesce(repaired, "reference_answer"),
        replaced_reference=pl.when(repaired.is_not_null()).then("reference_answer"),
    )


def assistant_turn(think: str, answer: str) -> str:
    return f"{OPENS}{think}{ANSWERS}{answer}{CLOSES}"


def parts_of(turn: pl.Expr) -> dict[str, pl.Expr]:
    """`think` and `answer` of an assistant's turn, told apart by the lengths beside it: either may hold what stands
    between them."""
    begin = len(OPENS) + pl.col("think_chars") + len(ANSWERS)
    return {
        "think": turn.str.slice(len(OPENS), pl.col("think_chars")),
        "answer": turn.str.slice(begin, pl.col("answer_chars")),
    }


def am_record(row: dict[str, Any]) -> dict[str, Any]:
    """A released row in the schema of AM-DeepSeek-R1-Distilled: exactly two messages.

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
