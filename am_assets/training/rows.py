"""The rows of a release as training reads them: a question and the assistant's turn, in the order of the dataset."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import polars as pl

from am_assets.training.dataset import parts_of
from am_assets.training.release import manifest
from am_assets.training.tokens import Row

BATCH = 64  # rows read at a time


def files(rows: Path) -> list[Path]:
    """The Parquet files of a release in their order; `rows` itself where it is such a file."""
    if rows.is_file():
        return [rows]
    return [rows / name for name in manifest(rows)[1] if name.endswith(".parquet")]


def chunks(rows: Path, size: int = BATCH) -> Iterator[list[Row]]:
    """The rows of a release."""
    import pyarrow.parquet as pq

    for path in files(rows):
        with pq.ParquetFile(path, pre_buffer=False, memory_map=True) as file:
            for batch in file.iter_batches(size, columns=["messages"]):
                said = batch["messages"].flatten().field("content").to_pylist()
                yield list(zip(said[::2], said[1::2], strict=True))


class Content:
    """A hash of the rows that went through `of`, and the number of their characters."""

    def __init__(self) -> None:
        self._digest, self.chars = sha256(), 0

    def of(self, rows: Iterable[list[Row]]) -> Iterator[list[Row]]:
        for chunk in rows:
            for row in chunk:
                for text in row:
                    data = text.encode()
                    self._digest.update(len(data).to_bytes(8, "big") + data)
                    self.chars += len(text)
            yield chunk

    @property
    def hash(self) -> str:
        return self._digest.hexdigest()


def content(rows: Path) -> Content:
    """Of all that a student is trained on."""
    found = Content()
    for _ in found.of(chunks(rows)):
        pass
    return found


def response_ids(rows: Path) -> pl.Series | None:
    """The id of each row; None where they have none."""
    table = pl.scan_parquet(files(rows))
    if "response_id" not in table.collect_schema():
        return None
    return table.select("response_id").collect()["response_id"]


def with_texts(table: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    """SftDataset with question, think, answer, reference_answer and test_case of its release; null where that lacks a
    row."""
    said = pl.col("messages").list
    texts = pl.scan_parquet(files(folder)).select(
        "response_id",
        "reference_answer",
        "test_case",
        question=said.first().struct.field("content"),
        turn=said.last().struct.field("content"),
    )
    joined = table.join(texts, on="response_id", how="left", maintain_order="left")
    return joined.with_columns(**parts_of(pl.col("turn"))).drop("turn")
