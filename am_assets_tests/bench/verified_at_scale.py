"""`verified_set` at the paper's size: made once by `am apply`, then again after a threshold edit.

    python -m am_assets_tests.bench.verified_at_scale [--rows 1400000] [--shards 14] [--folder DIR] [--store]

The tables that it reads are written as they would have been measured, with texts of realistic length beside the narrow
columns: whoever reads them by mistake needs several GB. Seconds are of the whole process by the clock, memory is what
it held at most, without what it shares with the page cache. Tables in DIR that are already there are used again. With
--store all is done once more with the tables in an S3 store and the records in Postgres, and held against the above.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, REWARD_DIMENSIONS
from am_assets.orchestration.schemas import TABLES
from am_assets_tests.bench.processes import busy_since
from am_assets_tests.bench.selection_at_scale import RECIPE, watch_memory, write
from am_assets_tests.everywhere import share
from am_assets_tests.services import am

MADE = ["verification_policy", "teacher_policy", "verified_set"]
PROSE = "So the sum of both sides is what was asked for, and we check it once more by hand. "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_400_000)
    parser.add_argument("--shards", type=int, default=14)
    parser.add_argument("--chars", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--store", action="store_true")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="verified-"))
    if not (folder / "recipes").exists():
        write_project(folder, asked.rows, asked.shards, asked.chars)
    tables = [path for path in (folder / "assets").rglob("*.parquet") if path.parent.name not in MADE]
    print(f"{asked.rows:,} responses, {sum(path.stat().st_size for path in tables) / 1e9:.2f} GB of tables", flush=True)
    local = edits(folder)
    if asked.store:
        share(folder, os.environ.__setitem__)
        started = time.monotonic()
        moved = am(folder, "cluster", "move")
        assert moved.returncode == 0, moved.stdout + moved.stderr
        print(f"moved to the store in {time.monotonic() - started:.1f} s", flush=True)
        for what, seconds in edits(folder).items():
            print(f"{what}: {seconds / local[what]:.2f} times as long with a store", flush=True)


def edits(folder: Path) -> dict[str, float]:
    """Seconds of an apply after each edit of the recipe."""
    took = {}
    for what, policy in {
        "a first time": {"min_reward": 0.7},
        "after a threshold edit": {"min_reward": 0.6},
        "after an edit to choose": {"min_reward": 0.6, "keep": "best_reward"},
    }.items():
        write(folder / "recipes" / "scale.yaml", RECIPE | {"sampling": {}, "verification": policy})
        took[what] = apply(folder, what)
    return took


def write_project(folder: Path, rows: int, shards: int, chars: int) -> None:
    for name in ("recipes", "pool", "instance"):
        (folder / name).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    names = [f"source-{block:02d}" for block in range(shards)]
    write(folder / "sources.yaml", {n: {"location": f"pool/{n}.jsonl", "adapter": "jsonl", "rank": 0} for n in names})
    write(folder / "benchmarks.yaml", {})
    write(folder / "endpoints.yaml", {})
    write(
        folder / "instruments.yaml",
        {"labels": {"model": "openai/stored-labels"}, "reward": {"model": "openai/stored-judge"}},
    )
    selected = []
    for block, name in enumerate(names):
        questions, tables = measured(rows // shards, chars, np.random.default_rng([11, block]))
        selected.append(questions.with_columns(shard=pl.lit(name), source=pl.lit(name)))
        for asset, table in tables.items():
            store(folder, asset, name, table)
    store(folder, "selected_questions", "scale", pl.concat(selected))


def store(folder: Path, asset: str, partition: str, table: pl.DataFrame) -> None:
    """Columns that `table` lacks are null."""
    path = folder / "assets" / asset / f"{partition}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = TABLES[asset]
    columns = (name if name in table.columns else pl.lit(None).alias(name) for name in schema.column_names())
    schema.validate(table.select(columns), cast=True).write_parquet(path, compression_level=1)


def ids(rows: int, random: np.random.Generator) -> list[str]:
    """Keys of the memo's length."""
    letters = random.bytes(16 * rows).hex()
    return [letters[start : start + 32] for start in range(0, 32 * rows, 32)]


def measured(rows: int, chars: int, random: np.random.Generator) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The selected questions of one shard, and its tables: one response a question, two in three of them distilled; two
    in five questions have a reference answer, one in five has tests."""
    kind = random.choice(["math", "code", "open"], size=rows, p=[0.4, 0.2, 0.4])
    text = pl.format("{} {}", "response_id", pl.lit((PROSE * (chars // len(PROSE) + 1))[:chars]))
    base = pl.DataFrame(
        {
            "question_id": ids(rows, random),
            "response_id": ids(rows, random),
            "request_key": ids(rows, random),
            "kind": kind,
            "distilled": random.random(rows) < 0.65,
            "cut": random.random(rows) < 0.05,
            "rate": random.beta(1, 12, rows),
            "length": random.integers(500, 20_000, rows),
            "verdict": random.choice(["pass", "fail", "unverifiable"], size=rows, p=[0.7, 0.25, 0.05]),
            **{name: random.integers(1, 5, rows) for name in REWARD_DIMENSIONS},
        }
    ).sort("response_id")
    verified = base.with_columns(reason=pl.format("read as {}", "length"), detail=pl.lit(""), sandbox=pl.lit("docker"))
    outcome = pl.when(verdict="pass").then(pl.lit("pass")).otherwise(pl.lit("wrong_answer"))
    unasked = dict.fromkeys(["judge", "judged_equal", "judge_raw"])
    verified = verified.with_columns(
        extracted="reason", reference="reason", outcomes=pl.concat_list([outcome] * 3), **unasked
    )
    questions = base.select(
        "question_id", category=pl.lit(CATEGORIES[0]), difficulty=pl.Series(random.choice(DIFFICULTIES, rows)),
        kept=pl.lit(True), drop_reason=None, detail=None, teacher=pl.lit("openai/stored-teacher"), samples=1,
    )  # fmt: skip
    asked = base.filter("distilled")
    return questions, {
        "question_features": base.select(
            "question_id", chars="length", words="length", ascii_share=1.0, language=pl.lit("en"),
            complete=True, has_url=False, has_image=False, has_table=False, has_check=pl.col("kind") != "open",
            verifiers=pl.concat_list(pl.when(pl.col("kind") != "open").then("kind")).list.drop_nulls(),
            published=(~pl.col("distilled")).cast(pl.UInt32),
        ),
        "teacher_requests": asked.select(
            "request_key", "question_id", after=pl.lit(""), teacher=pl.lit("openai/stored-teacher"), sample_index=0,
            messages=text, sampling=pl.lit('{"max_tokens": 32768}'), recipes=pl.lit(["scale"], pl.List(pl.String)),
        ).sort("request_key"),
        "responses": base.select(
            "response_id", "question_id", pl.when("distilled").then("request_key").alias("request_key"),
            teacher=pl.lit("openai/stored-teacher"), sample_index=0, response=text,
            origin=pl.when("distilled").then(pl.lit("distilled")).otherwise(pl.lit("published")),
            finish_reason=pl.when("cut").then(pl.lit("length")).otherwise(pl.lit("stop")),
            prompt_tokens=100, completion_tokens="length", cost=0.001,
        ),
        "response_features": base.select(
            "response_id", "question_id", think=text, answer=text, template=pl.lit("paper"), well_formed=~pl.col("cut"),
            truncated="cut", think_chars="length", answer_chars="length", repetition="rate", consecutive="rate",
            prompt_share="rate", think_language=pl.lit("en"), answer_language=pl.lit("en"),
        ),
        "math_verdicts": verified.filter(kind="math"),
        "code_verdicts": verified.filter(kind="code"),
        "instruction_verdicts": TABLES["instruction_verdicts"].create_empty(),
        "answer_consensus": TABLES["answer_consensus"].create_empty(),
        "response_screens": base.select("response_id", "question_id", screens=pl.lit([]), findings=pl.lit([])),
        "reward_scores": base.filter(kind="open").with_columns(judge=pl.lit("openai/stored-judge"), judge_raw=text),
    }  # fmt: skip


def apply(folder: Path, what: str) -> float:
    """Runs `am apply` of the policies and the verified set alone; prints its memory and seconds, and returns these."""
    environment = os.environ | {"AM_DATA": str(folder), "DAGSTER_HOME": str(folder / "instance"), "COLUMNS": "110"}
    environment.pop("AM_SOURCES", None)
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", "--select", " or ".join(MADE)]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    highest = [0.0]
    threading.Thread(target=watch_memory, args=(process, highest), daemon=True).start()
    before = os.times()
    said, _ = process.communicate()
    seconds, busy = time.monotonic() - started, busy_since(before)
    kept = pl.scan_parquet(folder / "assets" / "verified_set" / "scale.parquet").select(pl.sum("kept")).collect().item()
    took = f"{seconds:.1f} s, {busy:.1f} s of processor, {highest[0] / 1e9:.2f} GB at most"
    print(f"--- {what}\n{said}\n{what}: {took}, {kept:,} kept", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)
    return seconds


if __name__ == "__main__":
    main()
