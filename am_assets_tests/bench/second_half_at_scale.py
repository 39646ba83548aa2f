"""From stored answers to verdicts, with texts of realistic length, under a hard limit of memory.

    python -m am_assets_tests.bench.second_half_at_scale [--rows 10000 40000] [--limit 3] [--folder DIR] [--steps NAME]

One shard of each size: answers lognormal around 16 kB with a tail to 200 kB, whose sentences repeat as those of traces
do, a question in two with a reference answer. Each step is an `am apply` of its own that is killed where it holds more
than `--limit` GB of memory, without what it shares with the page cache; RLIMIT_DATA would count what allocators reserve
and never touch. In a container with `--memory 3000000000` the kernel holds the limit, page cache included. Seconds are
of the whole process, start included; memory is what it held at most. `--folder` is kept, and used again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.datasets.identity import question_id
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.memo import Memo
from am_assets_tests.bench.processes import busy_since
from am_assets_tests.bench.selection_at_scale import RECIPE, watch_memory, write
from am_assets_tests.bench.verified_at_scale import store

SHARD, TEACHER = "long", "openai/stored-teacher"
STEPS = ["responses", "response_features", "math_verdicts", "response_screens"]
MEDIAN, SPREAD, LONGEST = 16_000, 0.8, 200_000  # bytes of a response
APPENDED = 250  # answers that are stored together
AT_SCALE = 1_400_000


@dataclass
class Cost:
    seconds: float
    busy: float
    peak: float
    size: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--limit", type=float, default=3.0, help="GB that a step may hold")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--steps", nargs="+", default=STEPS)
    asked = parser.parse_args()
    root = asked.folder or Path(tempfile.mkdtemp(prefix="second-half-"))
    costs: dict[int, dict[str, Cost]] = {}
    for rows in asked.rows:
        folder = root / str(rows)
        if not (folder / "bytes.json").exists():
            write_project(folder, rows)
        text = json.loads((folder / "bytes.json").read_text())
        memo = sum(path.stat().st_size for path in (folder / "memo").rglob("*") if path.is_file())
        print(
            f"--- {rows:,} answers, {text / 1e6:,.0f} MB of text, {memo / rows:,.0f} bytes a row in the memo",
            flush=True,
        )
        costs[rows] = {}
        for step in asked.steps:
            costs[rows][step] = cost = apply(folder, step, asked.limit)
            print(
                f"{step}: {cost.seconds:.1f} s, {cost.busy:.1f} s of processor, {text / 1e6 / cost.busy:,.0f} MB/s of"
                f" them, {cost.busy / rows * 1e3:.2f} ms a row, {cost.peak / 1e9:.2f} GB at most,"
                f" {cost.size / rows:,.0f} bytes a row",
                flush=True,
            )
    compare(costs)


def compare(costs: dict[int, dict[str, Cost]]) -> None:
    """Prints what the second size costs above the first, and what 1.4 million rows would: a start and so much a row."""
    (few, first), (many, second) = next(iter(costs.items())), list(costs.items())[-1]
    if few == many:
        return
    for step in first:
        a, b = first[step], second[step]
        row = (b.busy - a.busy) / (many - few)
        print(
            f"{step}: memory {b.peak / a.peak:.2f} times for {many / few:.0f} times the rows; {row * 1e3:.2f} ms of"
            f" processor a row more; 1.4 million: {row * AT_SCALE / 3600:.1f} h of processor,"
            f" {b.size / many * AT_SCALE / 1e9:.1f} GB",
            flush=True,
        )


def write_project(folder: Path, rows: int) -> None:
    for name in ("recipes", "pool", "instance"):
        (folder / name).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    write(folder / "sources.yaml", {SHARD: {"location": "pool/none.jsonl", "adapter": "jsonl", "rank": 0}})
    for name in ("benchmarks.yaml", "endpoints.yaml"):
        write(folder / name, {})
    labels, judge = "openai/stored-labels", "openai/stored-judge"
    write(folder / "instruments.yaml", {"labels": {"model": labels}, "reward": {"model": judge}})
    write(folder / "recipes" / "scale.yaml", RECIPE | {"sampling": {}})
    questions = [f"What is the sum of {at} and {at + 1}, and why?" for at in range(rows)]
    pool = pl.DataFrame({"question": questions}).with_columns(
        question_id=pl.Series([question_id(text) for text in questions]),
        reference_answer=pl.when(pl.int_range(rows) % 2 == 0).then(pl.format("{}", pl.int_range(rows) * 2 + 1)),
    )
    empty = TABLES["raw_pool"].create_empty()
    known = {"source": pl.lit(SHARD), "copies": pl.lit(1), "published": pl.lit([], empty.schema["published"])}
    others = {name: pl.lit(None, kind) for name, kind in empty.schema.items() if name not in {*pool.columns, *known}}
    store(folder, "raw_pool", SHARD, pool.with_columns(**known, **others))
    random = np.random.default_rng(7)
    keys = [random.bytes(16).hex() for _ in range(rows)]
    requests = pool.select(
        "question_id", request_key=pl.Series(keys), after=pl.lit(""), teacher=pl.lit(TEACHER), sample_index=0,
        messages=pl.format('[{{"role": "user", "content": "{}"}}]', "question"), sampling=pl.lit("{}"),
        recipes=pl.lit(["scale"], pl.List(pl.String)),
    )  # fmt: skip
    store(folder, "teacher_requests", SHARD, requests.sort("request_key"))
    (folder / "bytes.json").write_text(str(store_answers(Memo(folder / "memo"), keys, random)))


def thoughts(random: np.random.Generator) -> Iterator[str]:
    """Think parts without end: of sentences of words, some of which come back all the time."""
    words = np.array([f"w{number:x}" for number in range(3000)])
    sentences = [" ".join(random.choice(words, random.integers(5, 25))) + ". " for _ in range(20_000)]
    while True:
        length = min(LONGEST, int(random.lognormal(np.log(MEDIAN), SPREAD)))
        drawn = (random.zipf(1.2, length // 80 + 1) + random.integers(0, 20_000)) % 20_000
        yield "".join(sentences[one] for one in drawn)[:length]


def store_answers(memo: Memo, keys: list[str], random: np.random.Generator) -> int:
    """Answers under `keys`; returns their bytes."""
    stored, thought = 0, thoughts(random)
    for start in range(0, len(keys), APPENDED):
        texts = [
            f"<think>{next(thought)}</think> So it is \\boxed{{{2 * at + 1}}}."
            for at in range(start, min(start + APPENDED, len(keys)))
        ]
        stored += sum(map(len, texts))
        rows = pl.DataFrame({"key": keys[start : start + len(texts)], "text": texts}).with_columns(
            requested_model=pl.lit(TEACHER), reasoning=pl.lit(None, pl.String), finish_reason=pl.lit("stop"),
            prompt_tokens=pl.lit(30, pl.UInt32), completion_tokens=(pl.col("text").str.len_bytes() // 4),
            usage=pl.lit("{}"), cost=pl.lit(0.001), seconds=pl.lit(30.0), reported_model=pl.lit(TEACHER),
            fits_schema=pl.lit(None, pl.Boolean), message=pl.lit("{}"),
        )  # fmt: skip
        memo.append("responses", rows)
    return stored


def apply(folder: Path, step: str, limit: float) -> Cost:
    """Runs `am apply` of one step under the limit of so many GB."""
    environment = os.environ | {"AM_DATA": str(folder), "DAGSTER_HOME": str(folder / "instance"), "COLUMNS": "110"}
    environment.pop("AM_SOURCES", None)
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", "--select", step]
    started, before = time.monotonic(), os.times()
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    highest = [0.0]
    threading.Thread(target=watch_memory, args=(process, highest, limit * 1e9), daemon=True).start()
    said, _ = process.communicate()
    seconds, busy = time.monotonic() - started, busy_since(before)
    path = folder / "assets" / step / f"{SHARD}.parquet"
    if process.returncode or not path.exists():
        raise SystemExit(f"{step} failed, with {highest[0] / 1e9:.2f} GB at most:\n{said}")
    return Cost(seconds, busy, highest[0], path.stat().st_size)


if __name__ == "__main__":
    main()
