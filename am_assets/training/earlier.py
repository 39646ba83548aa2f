"""How the rows of a training were known while the dataset was a table of texts: its checkpoints are found by that."""

from pathlib import Path

import polars as pl

from am_assets.storage.streams import content_version
from am_assets.training.rows import with_texts

COLUMNS = ["response_id", "question_id", "source", "category", "difficulty", "teacher", "question", "think", "answer",
           "reference_answer", "test_case"]  # fmt: skip
COPIES = 4  # of the texts in memory while they are hashed


def content(table: pl.DataFrame, folder: Path) -> str | None:
    """The hash of SftDataset with the texts of its release `folder`; None where this machine has no room for them."""
    import psutil

    if int(table["chars"].cast(pl.UInt64).sum()) * COPIES > psutil.virtual_memory().available:
        return None
    return content_version(with_texts(table.lazy(), folder).select(COLUMNS).sort("response_id").collect())
