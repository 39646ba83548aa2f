"""How many responses a second `response_features` measures, and how long one hostile megabyte takes.

    python -m am_assets_tests.bench.response_features_speed [--responses 20000] [--words 1000] [--datatrove PYTHON]

`--datatrove` names the Python of an environment that has peers/requirements-datatrove.txt, whose repetition filter
reads a hundred of the same texts: both in seconds of processor, which other work on the machine disturbs least.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.distillation.traces import response_features

HOSTILE = {"one letter": "a", "one word": "no ", "tags": "<think>", "no spaces": "我", "a loop": "wait, I see. "}
PEER_TEXTS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--responses", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=1_000, help="of a response, on average")
    parser.add_argument("--datatrove", help="a Python that has it")
    asked = parser.parse_args()
    random = np.random.default_rng(5)
    vocabulary = np.array([f"word{number}" for number in range(5_000)])
    lengths = random.integers(asked.words // 2, asked.words * 3 // 2, asked.responses)
    texts = [" ".join(random.choice(vocabulary, length)) for length in lengths]
    measured(["The model of languages is loaded before anything is timed."])
    responses = [f"<think>{text}</think> <answer>{text[-800:]}</answer>" for text in texts]
    before = time.process_time()
    told = measured(responses)
    busy = time.process_time() - before
    characters = sum(map(len, texts))
    print(f"{asked.responses / told:,.0f} responses/s, {characters / told / 1e6:,.1f} million characters/s")
    print(f"{asked.responses / busy:,.0f} responses a second of processor time")
    print(f"{characters / busy / 1e6:,.1f} million characters a second of processor time")
    if asked.datatrove:
        print(f"datatrove: {datatrove(asked.datatrove, texts[:PEER_TEXTS]):,.1f}")
    for name, unit in HOSTILE.items():
        text = unit * (1_000_000 // len(unit.encode()))
        print(
            f"1 MB of {name}: {measured([text]):.2f} s; as a think part {measured([f'<think>{text}</think> 4']):.2f} s"
        )


def datatrove(python: str, texts: list[str]) -> float:
    """Million characters that its repetition filter reads in a second of processor time."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        pl.DataFrame({"text": texts}).write_parquet(file.name)
        said = subprocess.check_output([python, Path(__file__).parent / "peers" / "run_repetition.py", file.name])
    return sum(map(len, texts)) / float(said.split()[-1]) / 1e6


def measured(responses: list[str]) -> float:
    """Seconds for the features of these responses."""
    ids = [f"{number:032x}" for number in range(len(responses))]
    table = pl.DataFrame({"response_id": ids, "response": responses}).with_columns(
        question_id="response_id", question=pl.lit("What is the sum of both sides?"), finish_reason=pl.lit("stop")
    )
    started = time.perf_counter()
    response_features(table)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
