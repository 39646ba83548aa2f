"""Selection at the paper's size: raw pool to selected questions by `am apply`, then a threshold edit, then a new shard.

    python -m am_assets_tests.bench.selection_at_scale [--rows 1400000] [--shards 14] [--new-rows 20000] [--folder DIR]

The pool is synthetic (`corpus.py`) with planted near-duplicates and benchmark items, the embedder the bundled static
one. Labels are stored beforehand as a labeler would have answered, since no model is measured here. Each step is a
process of its own; seconds are by the clock, memory is what the process and its children held at most. A project in
DIR that is already there is used as it stands, so that a step can be repeated.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES
from am_assets.datasets.identity import question_id
from am_assets.engines.llm import ANSWER
from am_assets.pool.labels import label_requests
from am_assets.storage.memo import Memo, with_keys
from am_assets_tests.bench.corpus import questions

BENCHMARKS = {"contest": 30, "textbook": 500, "science": 198, "programs": 400}  # items, as many as the paper's four
PLANTED = 20  # items of each benchmark that the pool holds word for word
LABELER = "openai/stored-labels"
LABEL_TOKENS = 64  # the default of instruments.yaml
RECIPE = {
    "dedup": {"threshold": 0.9},
    "sampling": {"decontamination": {"benchmarks": list(BENCHMARKS)}, "rates": {"easy": 0.5, "medium": 0.75}},
    "teacher": {"model": "openai/stored-teacher"},
    "training": {"student": "none"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_400_000)
    parser.add_argument("--shards", type=int, default=14)
    parser.add_argument("--new-rows", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="selection-"))
    if not (folder / "recipes").exists():
        write_project(folder, asked.rows, asked.shards)
    whole = apply(folder, f"all of {asked.rows:,} questions in {asked.shards} shards")
    write(folder / "recipes" / "scale.yaml", RECIPE | {"dedup": {"threshold": 0.88}})
    apply(folder, "a threshold edit")
    add_shard(folder, "new", asked.new_rows, block=asked.shards)
    added = apply(folder, f"{asked.new_rows:,} questions more")
    print(f"{asked.new_rows:,} more took {added / whole:.1%} of the whole")


def write_project(folder: Path, rows: int, shards: int) -> None:
    for name in ("recipes", "pool", "instance"):
        (folder / name).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    write(folder / "sources.yaml", {})
    items = {}
    for number, (name, size) in enumerate(BENCHMARKS.items()):
        texts = questions(size, block=1_000 + number)
        items[name] = texts[:PLANTED]
        lines = [json.dumps({"question": text, "reference_answer": "1"}) for text in texts]
        (folder / "pool" / f"{name}.jsonl").write_text("\n".join(lines))
    write(
        folder / "benchmarks.yaml",
        {name: {"location": f"pool/{name}.jsonl", "adapter": "jsonl"} for name in BENCHMARKS},
    )
    write(
        folder / "instruments.yaml",
        {"labels": {"model": LABELER}, "reward": {"model": "openai/stored-judge"}, "embeddings": {"model": "static"}},
    )
    write(folder / "endpoints.yaml", {LABELER: {"input_price": 0, "output_price": 0}})
    write(folder / "recipes" / "scale.yaml", RECIPE)
    for block in range(shards):
        planted = [text for texts in items.values() for text in texts] if block == 0 else []
        add_shard(folder, f"source-{block:02d}", rows // shards, block, planted)


def add_shard(folder: Path, name: str, rows: int, block: int, planted: list[str] | None = None) -> None:
    """A source of its own at the end of the file, with its labels stored."""
    texts = pl.DataFrame({"question": [*questions(rows - len(planted or []), block=block), *(planted or [])]})
    texts.write_parquet(folder / "pool" / f"{name}.parquet")
    sources = yaml.safe_load((folder / "sources.yaml").read_text())
    entry = {"location": f"pool/{name}.parquet", "adapter": "jsonl", "rank": len(sources)}
    write(folder / "sources.yaml", {**sources, name: entry})
    random = np.random.default_rng([7, block])
    store = Memo(folder / "memo")
    for part in texts.iter_slices(20_000):
        ids = pl.Series([question_id(text) for text in part["question"]])
        asked = label_requests(part.with_columns(question_id=ids), LABELER, LABEL_TOKENS)
        keyed = with_keys(asked, "model", "messages", "sampling", "sample_index").select("key")
        said = [
            json.dumps({"category": CATEGORIES[one], "difficulty": DIFFICULTIES[other]})
            for one, other in random.integers((len(CATEGORIES), len(DIFFICULTIES)), size=(keyed.height, 2))
        ]
        answers = keyed.with_columns(pl.Series("text", said), requested_model=pl.lit(LABELER), cost=pl.lit(0.0))
        store.append("labels", answers.match_to_schema(ANSWER, missing_columns="insert"))


def write(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def apply(folder: Path, what: str) -> float:
    """Runs `am apply` down to the selected questions; prints and returns its seconds."""
    environment = os.environ | {"AM_DATA": str(folder), "DAGSTER_HOME": str(folder / "instance"), "COLUMNS": "110"}
    environment.pop("AM_SOURCES", None)
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", "--select", "+selected_questions"]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    highest = [0.0]
    watch = threading.Thread(target=watch_memory, args=(process, highest), daemon=True)
    watch.start()
    said, _ = process.communicate()
    seconds = time.monotonic() - started
    print(f"--- {what}\n{said}\n{what}: {seconds:.1f} s, {highest[0] / 1e9:.2f} GB at most", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)
    return seconds


def watch_memory(process: subprocess.Popen, highest: list[float], limit: float = math.inf) -> None:
    """The most memory that the process and its children held together, without what they share with the page cache.
    The process is killed where that is above the limit."""
    while process.poll() is None:
        pids, held = [process.pid], 0
        for pid in pids:
            try:
                pids += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
                status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            except (OSError, ValueError):
                continue
            held += sum(int(status[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem") if name in status)
        highest[0] = max(highest[0], float(held))
        if held > limit:
            process.kill()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
