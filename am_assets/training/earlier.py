"""How the rows of a training were known while the dataset was a table of texts: its checkpoints are found by that."""

from hashlib import sha256
from io import RawIOBase
from pathlib import Path
from typing import IO, cast

import polars as pl

from am_assets.training.rows import with_texts

COLUMNS = ["response_id", "question_id", "source", "category", "difficulty", "teacher", "question", "think", "answer",
           "reference_answer", "test_case"]  # fmt: skip
COPIES = 4  # of the texts in memory while they are hashed


def content(table: pl.DataFrame, folder: Path) -> str | None:
    """The hash of SftDataset with the texts of its release `folder`; None where this machine has no room for them."""
    import psutil

    if int(table["chars"].cast(pl.UInt64).sum()) * COPIES > psutil.virtual_memory().available:
        return None
    digest = _Digest()
    rows = with_texts(table.lazy(), folder).select(COLUMNS).sort("response_id").collect().rechunk()
    rows.write_parquet(cast("IO[bytes]", digest), compression="uncompressed", statistics=False, row_group_size=131_072)
    return digest.hash.hexdigest()[:32]


class _Digest(RawIOBase):
    """A file that keeps only a hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = sha256()

    def write(self, data) -> int:
        self.hash.update(data)
        return len(data)
