"""How many responses a second `response_features` measures, and how long one hostile megabyte takes.

python -m am_assets_tests.bench.response_features_speed [--responses 20000] [--words 1000]
"""

import argparse
import time

import numpy as np
import polars as pl

from am_assets.distillation.traces import response_features

HOSTILE = {"one letter": "a", "one word": "no ", "tags": "<think>", "no spaces": "我", "a loop": "wait, I see. "}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--responses", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=1_000, help="of a response, on average")
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
    for name, unit in HOSTILE.items():
        text = unit * (1_000_000 // len(unit.encode()))
        print(
            f"1 MB of {name}: {measured([text]):.2f} s; as a think part {measured([f'<think>{text}</think> 4']):.2f} s"
        )


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
