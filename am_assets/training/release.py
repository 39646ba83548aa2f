"""The files of a release: Parquet that `datasets`, a viewer of data sets and trainers read as it is, and a card.

data/train-<shard>-<n>.parquet   one schema: the chat, and what the row is known by
data.jsonl.zst                   on request, the schema of AM-DeepSeek-R1-Distilled
dataset_info.json                how LLaMA-Factory reads the folder
README.md, images/               the card, see `card.py`
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from am_assets.config.recipe import ReleasePolicy
from am_assets.engines import plots
from am_assets.storage.atomic import written_aside
from am_assets.training.card import About, card
from am_assets.training.dataset import TURN, am_record

VERSION = "3"  # raise when files or card come out otherwise
FILE_BYTES = 500_000_000  # at most, in memory: packed it is a fraction of that
ROW_GROUP = 1_000  # rows that a reader who streams has to take at once
LENGTHS = "images/lengths.png"
JSONL = "data.jsonl.zst"
BESIDE = [
    "response_id", "question_id", "source", "license", "category", "difficulty", "teacher", "reference_answer",
    "test_case", "pass_rate",
]  # fmt: skip


def write_release(table: pl.DataFrame, shards: pl.DataFrame, folder: Path, about: About, policy: ReleasePolicy) -> None:
    """Writes the release of SftDataset rows to `folder`, atomically; the same rows give the same bytes.

    `shards` (response_id, shard) says into which file a row goes. A recipe that repairs references has a column for
    those of the source.
    """
    further = [*["replaced_reference"] * about.repairs, *["extra"] * policy.extra]
    with written_aside(folder) as aside:
        (aside / "data").mkdir()
        (aside / "images").mkdir()
        rows = table.join(shards, on="response_id", how="left", maintain_order="left").sort("shard", "response_id")
        for (shard,), part in rows.group_by("shard", maintain_order=True):
            write_parts(released(part, further), aside / "data", f"train-{shard}")
        if rows.is_empty():  # a set without rows has a schema too
            write_parts(released(rows, further), aside / "data", "train-none")
        if policy.jsonl:
            _write_jsonl(table, aside / JSONL)
        (aside / "dataset_info.json").write_text(json.dumps(_llama_factory(about.name), indent=2) + "\n")
        (aside / "images" / "funnel.png").write_bytes(_funnel(about.funnel))
        (aside / LENGTHS).write_bytes(_lengths(table))
        (aside / "README.md").write_text(card(table, about), encoding="utf-8")


def released(table: pl.DataFrame, further: Sequence[str] = ()) -> pl.DataFrame:
    """The rows as they are released: `messages`, a list of {role, content} of the question and of `assistant_turn`."""
    user = pl.struct(role=pl.lit("user"), content="question")
    assistant = pl.struct(role=pl.lit("assistant"), content=TURN)
    return table.select(pl.concat_list(user, assistant).alias("messages"), *BESIDE, *further)


def write_parts(rows: pl.DataFrame, folder: Path, name: str, most: int = FILE_BYTES) -> list[Path]:
    """Writes `<name>-<n>.parquet`, each of at most `most` bytes unless a single row has more."""
    paths = []
    for number, part in enumerate(_parts(rows, most)):
        paths.append(folder / f"{name}-{number:05}.parquet")
        part.write_parquet(paths[-1], row_group_size=ROW_GROUP)
    return paths


def _parts(rows: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    if rows.height > 1 and rows.estimated_size() > most:
        half = rows.height // 2
        # Sizes are those of what is referred to: a slice without a copy of its own has that of the whole.
        yield from _parts(rows[:half].clone().rechunk(), most)
        yield from _parts(rows[half:].clone().rechunk(), most)
    else:
        yield rows


def _write_jsonl(table: pl.DataFrame, path: Path) -> None:
    import zstandard

    with zstandard.open(path, "wt", encoding="utf-8") as file:
        for row in table.iter_rows(named=True):
            file.write(json.dumps(am_record(row), ensure_ascii=False) + "\n")


def _llama_factory(name: str) -> dict:
    """An entry of its `dataset_info.json`."""
    roles = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    tags = {"role_tag": "role", "content_tag": "content", **roles}
    return {name: {"file_name": "data", "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}}


def _funnel(funnel: pl.DataFrame) -> bytes:
    kept = funnel.filter(pl.col("outcome").is_in(["in", "kept"])).group_by("stage", maintain_order=True).last()
    return plots.bar_chart_png(kept.select("stage", kept="rows"), "stage", "kept", "What each stage kept")


def _lengths(table: pl.DataFrame) -> bytes:
    lengths = (table["think"].str.len_chars() + table["answer"].str.len_chars()).alias("characters")
    return plots.histogram_png(lengths, "Response length")
