"""How many megabytes a second of one core `response_screens` screens, and how long hostile megabytes take.

python -m am_assets_tests.bench.screens_speed [--responses 8000] [--chars 16000]

Texts are prose and thinking as teachers write it, a part of them with words that look like a finding and are none.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import polars as pl

from am_assets.distillation.parts import split
from am_assets.storage.streams import Stored
from am_assets.verification.screens import response_screens
from am_assets_tests.verification.screened import SENTENCES

PROSE = "So the sum of both sides is what was asked for, and we check it once more by hand: $3x + 17 = 4{}$, x = {}.\n"
SUSPICIOUS = 0.1  # share of the texts with one of the neighbours
HOSTILE = {
    "one letter": "a", "digits": "1", "plus": "+1 ", "at": "a@", "addresses": "a.b@gmail.co ", "names": "deepseek ",
    "keys": "AKIA", "slashes": "//", "ticks": "`", "refusing": "I cannot provide you ", "Chinese": "我是",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--responses", type=int, default=8_000)
    parser.add_argument("--chars", type=int, default=16_000)
    asked = parser.parse_args()
    draw = random.Random(3)
    neighbours = [text for _, hit, text in SENTENCES if not hit]
    thinking = [_written(asked.chars, draw, neighbours) for _ in range(asked.responses)]
    screened(["Loaded before anything is timed: +49 30 901820, a.b@c.de"])
    clock, busy = screened(thinking)
    megabytes = sum(len(text.encode()) for text in thinking) / 1e6
    print(f"{megabytes:,.0f} MB: {megabytes / busy:,.0f} MB/s of one core, {megabytes / clock:,.0f} MB/s by the clock")
    for name, unit in HOSTILE.items():
        print(f"1 MB of {name}: {screened([unit * (1_000_000 // len(unit.encode()))])[0]:.2f} s")


def _written(chars: int, draw: random.Random, neighbours: list[str]) -> str:
    line = draw.choice(neighbours) + "\n" if draw.random() < SUSPICIOUS else ""
    body = "".join(PROSE.format(draw.randrange(99), draw.randrange(10**6)) for _ in range(chars // len(PROSE)))
    return body + line


def screened(texts: list[str]) -> tuple[float, float]:
    """Seconds by the clock, and of processor time, for these texts as think parts, read from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "responses.parquet")
        ids = pl.Series([f"{number:032x}" for number in range(len(texts))])
        parts = pl.format("<think>{}</think>So x is 4.", pl.Series(texts))
        table = pl.DataFrame({"response_id": ids, "question_id": ids}).with_columns(response=parts)
        table.write_parquet(path, row_group_size=1000)
        pool = table.lazy().select("question_id", question=pl.lit("What is x?"), test_cases=pl.lit(None, pl.String))
        clock, busy = time.perf_counter(), time.process_time()
        response_screens(map(split, Stored(path).batches()), pool)
        return time.perf_counter() - clock, time.process_time() - busy


if __name__ == "__main__":
    main()
