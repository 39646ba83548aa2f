"""The release at scale: the decision, the files, an edit, kills; each in a process that may hold 3 GB at most.

    python -m am_assets_tests.bench.release_at_scale [--rows 50000 200000] [--kills 50] [--folder DIR]

Responses are those of `second_half_at_scale`: as long as those of R1, and about as repetitive. Each row count is one
shard beside a second one that has a fiftieth of its rows; tables are written as they would have been measured. Seconds
are by the clock and of the processors, memory is what a process had for itself at most.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from am_assets.config.recipe import ReleasePolicy
from am_assets.distillation import parts
from am_assets.orchestration import texts
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.stored import StoredTables
from am_assets.training import release
from am_assets.training.card import About
from am_assets.training.dataset import TURN
from am_assets_tests.bench.processes import busy_since, killed_after
from am_assets_tests.bench.second_half_at_scale import thoughts
from am_assets_tests.bench.selection_at_scale import watch_memory

LIMIT = 3_000_000_000
SMALL, LARGE = "small", "large"
AT_ONCE = 2_000  # rows that are made at a time
FUNNEL = pl.DataFrame({"stage": ["dataset"], "outcome": ["kept"], "rows": [1]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write(Path(asked.write[0]), asked.write[1])
        return
    place = asked.folder or Path(tempfile.mkdtemp(prefix="release-"))
    for rows in asked.rows:
        folder = place / str(rows)
        if not folder.exists():
            write_tables(folder, rows)
        print(f"--- {rows:,} rows, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        for edit in ("none", "nothing", "small", "spread"):
            run(folder, edit)
    killed(place / str(asked.rows[0]), asked.kills)


def write_tables(folder: Path, rows: int) -> None:
    for shard, count in ((LARGE, rows), (SMALL, rows // 50)):
        draw = np.random.default_rng([7, count])
        tables: dict[str, list[pl.DataFrame]] = {name: [] for name in ("raw_pool", "responses", "response_features")}
        keys = sorted(f"{draw.bytes(16).hex()}" for _ in range(count))
        for at in range(0, count, AT_ONCE):
            for name, table in measured(keys[at : at + AT_ONCE], draw).items():
                if name == "responses":
                    append(folder, name, shard, at // AT_ONCE, table)
                tables[name].append(table.drop("response") if name == "responses" else table)
        join(folder, "responses", shard)
        for name in ("raw_pool", "response_features"):
            path = folder / name / f"{shard}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            schema = TABLES[name]
            schema.validate(pl.concat(tables[name]).select(schema.column_names()), cast=True).write_parquet(path)


def append(folder: Path, name: str, shard: str, number: int, table: pl.DataFrame) -> None:
    path = folder / name / f".{shard}-{number:05}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path, row_group_size=AT_ONCE)


def join(folder: Path, name: str, shard: str) -> None:
    import pyarrow.parquet as pq

    pieces = sorted((folder / name).glob(f".{shard}-*.parquet"))
    with pq.ParquetWriter(folder / name / f"{shard}.parquet", pq.read_schema(pieces[0]), compression="zstd") as file:
        for piece in pieces:
            file.write_table(pq.read_table(piece))
            piece.unlink()


def measured(keys: list[str], draw: np.random.Generator) -> dict[str, pl.DataFrame]:
    """The tables of so many questions with a response each."""
    thinks = list(islice(thoughts(draw), len(keys)))
    base = pl.DataFrame({"response_id": keys, "question_id": keys, "think": thinks}).with_columns(
        answer=pl.format("So it is {}.", pl.col("think").str.len_chars())
    )
    nothing = {name: None for name in ("test_cases", "constraints", "extra", "defect")}
    return {
        "raw_pool": base.select(
            "question_id", source=pl.lit("s"), question=pl.col("think").str.slice(0, 300), copies=1,
            reference_answer=pl.lit("7"), published=pl.lit([]), license=pl.lit("mit"), **nothing,
        ),
        "responses": base.select("response_id", "question_id", response=TURN),
        "response_features": base.select(
            "response_id", "question_id", "think", "answer", template=pl.lit("paper"), well_formed=True,
            truncated=False, think_language=pl.lit("en"), answer_language=pl.lit("en"),
            think_chars=pl.col("think").str.len_chars(), answer_chars=pl.col("answer").str.len_chars(),
            repetition=0.1, consecutive=0.1, prompt_share=0.1,
        ).with_columns(pl.col("think", "answer").str.slice(0, 20)),
    }  # fmt: skip


def kept(store: StoredTables, edit: str) -> pl.DataFrame:
    """The kept rows of VerifiedSet after an edit: of all rows, a hundredth gone, all of the small shard or spread."""
    parts_of = [store.read("response_features", shard, ["response_id", "question_id"]).with_columns(shard=pl.lit(shard))
                for shard in (LARGE, SMALL)]  # fmt: skip
    rows = pl.concat(parts_of).with_columns(
        source=pl.lit("s"), category=pl.lit("math"), difficulty=pl.lit("hard"), teacher=pl.lit("r1"),
        pass_rate=pl.lit(0.5), repaired_reference=pl.lit(None, pl.String),
    )  # fmt: skip
    if edit == "small":
        return rows.filter((pl.col("shard") == LARGE) | (pl.int_range(pl.len()) % 2 == 0))
    return rows.filter(pl.int_range(pl.len()) % 100 != 50) if edit == "spread" else rows


def write(folder: Path, edit: str) -> None:
    """The decision and its release, in this process; prints what it took."""
    store, began = StoredTables(folder), time.monotonic()
    table = texts.decided(store, kept(store, edit), extra=False)
    decided = time.monotonic() - began
    told = {"decided": round(decided, 2), "characters": int(table["chars"].cast(pl.UInt64).sum())}
    about = About("scale", "", {}, FUNNEL)
    before = inodes(folder / "release")
    release.write_release(
        table, partial(texts.released, store), folder / "release", about, ReleasePolicy(), parts.VERSION
    )
    after = inodes(folder / "release")
    told |= {"files": len(after), "written": sum(before.get(name) != at for name, at in after.items())}
    print(json.dumps(told | {"seconds": round(time.monotonic() - began, 2)}))


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("data/*")}


def started(folder: Path, edit: str) -> subprocess.Popen:
    command = [sys.executable, "-W", "ignore", "-m", "am_assets_tests.bench.release_at_scale"]
    return subprocess.Popen([*command, "--write", str(folder), edit], stdout=subprocess.PIPE, text=True)


def run(folder: Path, edit: str) -> None:
    process, highest, before = started(folder, edit), [0.0], os.times()
    threading.Thread(target=watch_memory, args=(process, highest, LIMIT), daemon=True).start()
    said, _ = process.communicate()
    busy = busy_since(before)
    if process.returncode:
        raise SystemExit(process.returncode)
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    speed = told["characters"] / 1e6 / max(told["seconds"], 0.01)
    print(
        f"{edit:8} {told['written']:4} of {told['files']:4} files written: decided in {told['decided']:.1f} s, all in"
        f" {told['seconds']:.1f} s ({speed:,.0f} MB of text a second), {busy:.1f} s of processor,"
        f" {highest[0] / 1e9:.2f} GB at most",
        flush=True,
    )


def killed(folder: Path, kills: int, within: float = 12) -> None:
    """Writes killed at random moments; after each, what the manifest names has to be there, whole."""
    draw, found = random.Random(3), {"before": 0, "after": 0}
    for at in range(kills):
        process = started(folder, ("none", "spread")[at % 2])
        found["before" if killed_after(process, draw.uniform(1, within)) else "after"] += 1
        check(folder / "release")
    left = [path.name for path in folder.glob(".release~*")]
    print(f"{kills} kills, {found['before']} of them of a writer: every file named was whole; left aside: {len(left)}")


def check(folder: Path) -> None:
    import pyarrow.parquet as pq

    for name, file in release.manifest(folder)[1].items():
        assert (folder / name).stat().st_size == file.bytes, name
        assert pq.ParquetFile(folder / name).metadata.num_rows == file.rows, name


if __name__ == "__main__":
    main()
