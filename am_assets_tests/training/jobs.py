"""Small trainings of the tiny student."""

from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.recipe import TrainingPolicy
from am_assets.training.dataset import TURN
from am_assets.training.sft import Job


def write_rows(path: Path, count: int, think: str = "Add.") -> Path:
    sums = [(f"id-{n}", f"What is {n} + {n}?", think, f"\\boxed{{{n + n}}}") for n in range(count)]
    return write_released(path, pl.DataFrame(sums, ["response_id", "question", "think", "answer"], orient="row"))


def write_released(path: Path, rows: pl.DataFrame) -> Path:
    """Rows (question, think, answer and any others) as a release has them."""
    user, assistant = (
        pl.struct(role=pl.lit(role), content=content) for role, content in (("user", "question"), ("assistant", TURN))
    )
    rows = rows.with_columns(messages=pl.concat_list(user, assistant)).drop("question", "think", "answer")
    rows.write_parquet(path)
    return path


def a_job(folder: Path, student: Path, rows: int = 8, **policy: Any) -> Job:
    settings = {"student": "tiny", "dtype": "float32", "gradient_checkpointing": False, "batch_size": 4} | policy
    parquet = write_rows(folder / "rows.parquet", rows)
    return Job(rows=parquet, student=student, output=folder / "checkpoint", policy=TrainingPolicy(**settings))
