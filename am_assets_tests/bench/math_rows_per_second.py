r"""Math rows a second beside a plain loop over math-verify, with and without the exact path.

    python -m am_assets_tests.bench.math_rows_per_second [--data FOLDER] [--rows 2000] [--rounds 3]

Rows are references of gsm8k_train.jsonl and math_train.json, half of them each, else of the labelled pairs. To a third
of them the answer is the reference as it stands, to a third another row's, to a third the reference spelled otherwise;
all boxed at the end of a sentence. All run in turn in every round, each in a process that has seen none of the rows,
and the fastest round of each counts. The plain loop is `verify(parse(reference), parse(answer))` in one process, with
its own timeouts. Milliseconds of the processor leave workers out: by the clock, other work on the machine shows.
"""

import argparse
import json
import logging
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import polars as pl

from am_assets.config.instruments import Math
from am_assets.runtime import workers
from am_assets.verification.mathematics import equality
from am_assets.verification.verifiers import math
from am_assets_tests.verification.math_pairs import pairs


def known(data: Path | None) -> list[str]:
    if data is None:
        return pairs()["reference"].to_list()
    lines = (data / "gsm8k_train.jsonl").read_text().splitlines()
    sums = [json.loads(line)["answer"].rpartition("####")[2].strip() for line in lines]
    problems = [row["answer"] for row in json.loads((data / "math_train.json").read_text())]
    few = min(len(sums), len(problems))
    return [reference for both in zip(sums[:few], problems[:few], strict=True) for reference in both if reference]


def respelled(reference: str) -> str:
    expression = len(reference) < 40 and not re.search(r"[,=<>%_]|\\(?:text|approx|cup|[lg]e|pm)", reference)
    return rf"\left({reference}\right) + 0" if expression else reference.replace(" ", "  ")


def jobs(references: list[str], rows: int) -> pl.DataFrame:
    draw = random.Random(0)
    made = []
    for at in range(rows):
        reference = references[at % len(references)]
        result = [reference, draw.choice(references), respelled(reference)][at % 3]
        made.append((str(at), reference, rf"We add what is left over. So the result is $\boxed{{{result}}}$."))
    return pl.DataFrame(made, {"key": pl.String, "reference": pl.String, "answer": pl.String}, orient="row")


def plain(rows: pl.DataFrame) -> int:
    from math_verify import parse, verify

    pairs = rows.select("reference", "answer").iter_rows()
    return sum(verify(parse(rf"\boxed{{{reference}}}"), parse(answer)) for reference, answer in pairs)


def ours(rows: pl.DataFrame) -> int:
    return sum((table["verdict"] == "pass").sum() for table in math.verify(rows, Math()))


def without_exact_path(rows: pl.DataFrame) -> int:
    with patch.object(math, "settle", lambda *_: None):
        return ours(rows)


def in_one_process(rows: pl.DataFrame) -> int:
    passed = 0
    for answer, reference in rows.select("answer", "reference").iter_rows():
        told, left = math.settle_all(answer, reference)
        verdict = equality.judge_all(answer, told, left) if left else told
        passed += verdict is not None and verdict[0] == "pass"
    return passed


def algebra_alone(rows: pl.DataFrame) -> int:
    with patch.object(math, "settle", lambda *_: None):
        return in_one_process(rows)


def timed(way: Callable[[pl.DataFrame], int], rows: pl.DataFrame) -> tuple[float, float, int]:
    """Seconds by the clock and of the processor that `rows` take `way`, and how many pass."""
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    equality.prepare_worker()  # imports and the grammar
    clock, processor = time.perf_counter(), time.process_time()
    passed = way(rows)
    return time.perf_counter() - clock, time.process_time() - processor, passed


def in_fresh_process(way: Callable[[pl.DataFrame], int], rows: pl.DataFrame) -> tuple[float, float, int]:
    """`timed` where no row was seen before: the caches of sympy would answer for it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(timed, way, rows).result()


WAYS: dict[str, Callable[[pl.DataFrame], int]] = {
    "plain loop": plain,
    "workers alone": without_exact_path,
    "with the exact path": ours,
    "algebra alone, one process": algebra_alone,
    "all of it, one process": in_one_process,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rows = jobs(known(asked.data), asked.rows)
    rounds = [{name: in_fresh_process(way, rows) for name, way in WAYS.items()} for _ in range(asked.rounds)]
    best = {name: min(measured[name] for measured in rounds) for name in WAYS}
    print(f"{rows.height:,} rows, {workers.WORKERS} workers, the start of the workers included")
    for name, (seconds, processor, passed) in best.items():
        ratio = best["plain loop"][0] / seconds
        spent = f"{1000 * processor / rows.height:.2f} ms of the processor a row here"
        print(f"{name:<28}{rows.height / seconds:>7,.0f} rows/s{ratio:>7.2f} times{passed:>7,} pass   {spent}")
    print(f"what the exact path adds: {best['workers alone'][0] / best['with the exact path'][0]:.2f} times")


if __name__ == "__main__":
    main()
