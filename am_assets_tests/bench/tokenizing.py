"""Rows a second that are tokenized for training, and the memory that takes.

    python -m am_assets_tests.bench.tokenizing [--rows 20000] [--chars 16000] [--workers 2]

Rows are made up of words, numbers and formulas; the tokenizer is that of the embedded student. Each round runs in a
process of its own, whose memory is told with that of its workers: at its highest, twice as many rows must not need
more. The third round reads what the one before has made; the last is the tokenizer alone, with all its threads, on the
texts of the turns in memory. Processor time changes less on a busy machine.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from am_assets.training.dataset import assistant_turn

WORDS = (
    "so we have the sum of both sides and then it follows that each of them is at most half as large since no other"
    " case remains wait let me check this again"
)


def write_rows(path: Path, rows: int, chars: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = random.Random(0)
    message = pa.struct({"role": pa.string(), "content": pa.string()})
    schema = pa.schema({"messages": pa.list_(message)})
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, rows, 1000):
            thinks = [_think(draw, chars) for _ in range(min(1000, rows - start))]
            chats = [
                [
                    {"role": "user", "content": f"What is {start + n} + {n}?"},
                    {"role": "assistant", "content": assistant_turn(think, f"\\boxed{{{len(think)}}}")},
                ]
                for n, think in enumerate(thinks)
            ]
            file.write_table(pa.table({"messages": chats}, schema))


def _think(draw: random.Random, chars: int) -> str:
    words, parts, length = WORDS.split(), [], 0
    while length < chars:
        part = f"{' '.join(draw.choices(words, k=12))} {draw.randrange(10**6)} = x^{draw.randrange(9)}."
        parts.append(part)
        length += len(part) + 1
    return " ".join(parts)


def measure(rows: Path, student: Path, cache: Path, workers: int) -> None:
    from am_assets.training.tokenized import lengths, tokenized

    began, top, over = time.monotonic(), [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(top, over))
    watch.start()
    dataset = tokenized(rows, student, "", cache, workers)
    spent = time.monotonic() - began
    tokens = int(lengths(dataset).sum())
    over.set()
    watch.join()
    used = time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    used += sum(sum(child.cpu_times()[:4]) for child in psutil.Process().children())  # the server of forks, and its own
    print(
        f"{len(dataset):8,} rows, {tokens:12,} tokens: {spent:7.1f} s, {len(dataset) / spent:8,.0f} rows/s,"
        f" {tokens / spent:10,.0f} tokens/s; {used:6.1f} s of processor time, {top[0] / 1e6:6,.0f} MB at most",
        flush=True,
    )


def measure_alone(rows: Path, student: Path) -> None:
    from transformers import AutoTokenizer

    from am_assets.training.rows import chunks

    tokenizer, spent, busy, count, tokens = AutoTokenizer.from_pretrained(student), 0.0, 0.0, 0, 0
    for chunk in chunks(rows, 1000):
        turns = [turn for _, turn in chunk]
        began, used = time.monotonic(), time.process_time()
        found = tokenizer(turns, add_special_tokens=False, verbose=False)["input_ids"]
        spent, busy = spent + time.monotonic() - began, busy + time.process_time() - used
        count, tokens = count + len(turns), tokens + sum(map(len, found))
    print(
        f"{count:8,} rows, {tokens:12,} tokens: {spent:7.1f} s, {count / spent:8,.0f} rows/s,"
        f" {tokens / spent:10,.0f} tokens/s; {busy:6.1f} s of processor time, by the tokenizer alone",
        flush=True,
    )


def _watch(top: list[int], over: threading.Event) -> None:
    """The most that this process and its children have for themselves: what is mapped of files does not count."""
    here = psutil.Process()
    while not over.wait(0.2):
        total = 0
        for process in [here, *here.children(recursive=True)]:
            try:
                memory = process.memory_info()
            except psutil.NoSuchProcess:
                continue
            total += memory.rss - memory.shared
        top[0] = max(top[0], total)


def main() -> None:
    from am_assets.engines.models.bundled import BUNDLED
    from am_assets.engines.models.student import student_folder

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--chars", type=int, default=16_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(*map(Path, asked.measure), asked.workers)
        return
    if asked.alone:
        measure_alone(*map(Path, asked.alone))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        student = student_folder(BUNDLED, folder / "models")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.workers} workers", flush=True)
        for count in (asked.rows // 2, asked.rows, asked.rows):
            rows = folder / f"{count}.parquet"
            if not rows.exists():
                write_rows(rows, count, asked.chars)
            places = [str(place) for place in (rows, student, folder / "tokens")]
            script = [sys.executable, "-m", "am_assets_tests.bench.tokenizing", "--workers", str(asked.workers)]
            subprocess.run([*script, "--measure", *places], check=True)
        subprocess.run([*script, "--alone", *places[:2]], check=True)


if __name__ == "__main__":
    main()
