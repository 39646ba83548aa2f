"""The files of a release: Parquet that `datasets`, a viewer of data sets and trainers read as it is, and a card.

data/train-<shard>-<place>.parquet      one schema: the chat, and what the row is known by
jsonl/train-<shard>-<place>.jsonl.zst   on request, the schema of AM-DeepSeek-R1-Distilled
manifest.json                           the files of rows in their order, and what each holds
dataset_info.json                       how LLaMA-Factory reads the folder
README.md, images/                      the card, see `card.py`

Texts are read for the files whose rows changed, one row group at a time; all others are kept as they are. `parts.py`
says which rows a file has.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.recipe import ReleasePolicy
from am_assets.engines import plots
from am_assets.runtime import progress
from am_assets.runtime.wording import counted
from am_assets.storage.atomic import written_aside
from am_assets.training import dataset
from am_assets.training.card import About, card
from am_assets.training.parts import Part, parts, row_groups

VERSION = "4"  # raise when files or card come out otherwise
ROW_GROUP = 1_000  # rows that a reader who streams has to take at once
LENGTHS = "images/lengths.png"
MANIFEST = "manifest.json"
JSONL = "jsonl"
BESIDE = [
    "response_id", "question_id", "source", "license", "category", "difficulty", "teacher", "reference_answer",
    "test_case", "pass_rate",
]  # fmt: skip
Texts = Callable[[str, pl.DataFrame], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class File:
    """A file of rows. `content` is a hash of all that it is made of; what has the same has the same bytes."""

    rows: int
    bytes: int
    content: str


def write_release(rows: pl.DataFrame, texts: Texts, folder: Path, about: About, policy: ReleasePolicy, by: str) -> None:
    """Writes the release of `dataset.sft_rows` to `folder`, atomically; the same rows give the same bytes.

    `texts` gives the rows of a shard, in their order and in frames of any height, as `dataset.with_texts` makes them;
    `by` names the rules of others by which it does. A recipe that repairs references has a column for those of the
    source.
    """
    further = [*["replaced_reference"] * about.repairs, *["extra"] * policy.extra]
    wanted = list(parts(rows, " ".join([VERSION, by, *further])))
    with written_aside(folder) as aside:
        for name in ("data", "images", *[JSONL] * policy.jsonl):
            (aside / name).mkdir()
        files = _write_rows(wanted, texts, folder, aside, further, policy.jsonl)
        (aside / "dataset_info.json").write_text(json.dumps(_llama_factory(about.name), indent=2) + "\n")
        (aside / "images" / "funnel.png").write_bytes(_funnel(about.funnel))
        (aside / LENGTHS).write_bytes(_lengths(rows))
        (aside / "README.md").write_text(card(rows, about), encoding="utf-8")
        found = {name: asdict(file) for name, file in files.items()}
        told = {"content": dataset.content(rows["content"]), "files": found}
        (aside / MANIFEST).write_text(json.dumps(told, indent=1) + "\n")


def manifest(folder: Path) -> tuple[str, dict[str, File]]:
    """The hash of the content of all rows of a release, and its files of rows by path, in their order."""
    told = json.loads((folder / MANIFEST).read_text())
    return told["content"], {name: File(**file) for name, file in told["files"].items()}


def is_of(folder: Path, rows: pl.DataFrame) -> bool:
    """Whether `folder` is a release of these rows of SftDataset."""
    held = manifest(folder)[0] if (folder / MANIFEST).exists() else None
    return held is not None and "content" in rows.columns and held == dataset.content(rows["content"])


def _write_rows(
    wanted: list[Part], texts: Texts, before: Path, aside: Path, further: Sequence[str], jsonl: bool
) -> dict[str, File]:
    """The files of rows by path: those that `before` has with the same content are kept, all others are written."""
    there = manifest(before)[1] if (before / MANIFEST).exists() else {}
    names = {part: [f"data/{part.name}.parquet", *[f"{JSONL}/{part.name}.jsonl.zst"] * jsonl] for part in wanted}
    new = [part for part in wanted if not all(_kept(name, part, there, before) for name in names[part])]
    progress.message(f"release: {len(new):,} of {counted(len(wanted), 'file of rows', 'files of rows')} to write")
    for part in set(wanted) - set(new):
        for name in names[part]:
            _take_over(before / name, aside / name)
    with ThreadPoolExecutor(os.cpu_count()) as pool, progress.task("release", sum(len(one.rows) for one in new)) as at:

        def write(part: Part) -> None:
            _write_part(part, texts, aside, further, jsonl)
            at(part.rows.height)

        for _ in pool.map(write, new):
            pass
    return {
        name: File(part.rows.height, (aside / name).stat().st_size, part.content)
        for part in wanted
        for name in names[part]
    }


def _kept(name: str, part: Part, there: dict[str, File], before: Path) -> bool:
    known, path = there.get(name), before / name
    return known is not None and known.content == part.content and path.exists() and path.stat().st_size == known.bytes


def _take_over(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:  # a file system without links
        shutil.copyfile(old, new)


def _write_part(part: Part, texts: Texts, folder: Path, further: Sequence[str], jsonl: bool) -> None:
    import pyarrow.parquet as pq
    import zstandard

    schema, tests = _schema(further), ["reference_answer", "test_case", *further]
    path = folder / "data" / f"{part.name}.parquet"
    plain = [name for name in schema.names if name not in ("messages", "response_id", *tests)]
    with ExitStack() as stack:
        parquet = stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=plain))
        lines = None
        if jsonl:
            lines = stack.enter_context(
                zstandard.open(folder / JSONL / f"{part.name}.jsonl.zst", "wt", encoding="utf-8")
            )
        for rows in _grouped(part, texts):
            parquet.write_table(released(rows, further).to_arrow().cast(schema), row_group_size=ROW_GROUP)
            for row in rows.iter_rows(named=True) if lines else ():
                lines.write(json.dumps(dataset.am_record(row), ensure_ascii=False) + "\n")  # type: ignore[union-attr]


def _grouped(part: Part, texts: Texts) -> Iterator[pl.DataFrame]:
    """The rows of a part with their texts, a frame for each row group, however `texts` cuts them."""
    frames = texts(part.shard, part.rows) if part.rows.height else iter(())
    left = next(frames, None)
    for ids in row_groups(part.rows, ROW_GROUP):
        while left is not None and left.height < len(ids) and (more := next(frames, None)) is not None:
            left = pl.concat([left, more])
        found = ids.clear().to_list() if left is None else left["response_id"].head(len(ids)).to_list()
        if left is None or found != ids.to_list():
            raise ValueError(
                f"{part.shard}: responses are not those that verified_set was made of, at {ids[0]}: materialize"
                " responses, response_features and verified_set again"
            )
        yield left.head(len(ids))
        left = left.slice(len(ids))


def _schema(further: Sequence[str]) -> Any:
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    types = {"messages": pa.list_(message), "pass_rate": pa.float64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in ("messages", *BESIDE, *further)])


def released(rows: pl.DataFrame, further: Sequence[str] = ()) -> pl.DataFrame:
    """The rows as they are released: `messages`, a list of {role, content} of the question and of `assistant_turn`."""
    user = pl.struct(role=pl.lit("user"), content="question")
    assistant = pl.struct(role=pl.lit("assistant"), content=dataset.TURN)
    return rows.select(pl.concat_list(user, assistant).alias("messages"), *BESIDE, *further)


def _llama_factory(name: str) -> dict:
    """An entry of its `dataset_info.json`."""
    roles = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    tags = {"role_tag": "role", "content_tag": "content", **roles}
    return {name: {"file_name": "data", "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}}


def _funnel(funnel: pl.DataFrame) -> bytes:
    kept = funnel.filter(pl.col("outcome").is_in(["in", "kept"])).group_by("stage", maintain_order=True).last()
    return plots.bar_chart_png(kept.select("stage", kept="rows"), "stage", "kept", "What each stage kept")


def _lengths(rows: pl.DataFrame) -> bytes:
    return plots.histogram_png((rows["think_chars"] + rows["answer_chars"]).alias("characters"), "Response length")
