"""Whether memory stays flat while a long run of requests is asked and stored.

    python -m am_assets_tests.bench.memory [--requests 100000] [--answer-bytes 8000]

Prints the resident memory of this process after warm-up (a tenth of the requests), its highest and last value after
that, and how long a second run takes to know that nothing is left to ask.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ANSWER, ask
from am_assets.storage.memo import Memo
from am_assets_tests.bench.server import serving


def requests(count: int) -> pl.DataFrame:
    """`count` short questions with keys of the usual length."""
    messages = [json.dumps([{"role": "user", "content": f"Question {n}: what is {n} plus {n}?"}]) for n in range(count)]
    keys = [f"{number:032x}" for number in range(count)]
    return pl.DataFrame({"key": keys, "messages": messages, "sampling": '{"max_tokens": 64}'})


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--answer-bytes", type=int, default=8_000)
    parser.add_argument("--concurrency", type=int, default=64)
    asked = parser.parse_args()
    wanted = requests(asked.requests)
    with tempfile.TemporaryDirectory() as folder, serving(latency=0.01, answer_bytes=asked.answer_bytes) as url:
        memo = Memo(Path(folder))
        endpoint = Endpoint(api_base=url, concurrency=asked.concurrency)
        seen: list[tuple[int, float]] = []

        def watched(missing: pl.DataFrame):
            done = 0
            for frame in ask(missing, "openai/scripted", [endpoint]):
                yield frame
                done += frame.height
                seen.append((done, resident_mb()))

        started = time.monotonic()
        memo.complete("answers", wanted, watched, ANSWER)
        seconds = time.monotonic() - started
        warm = [mb for done, mb in seen if done >= asked.requests / 10]
        print(f"{asked.requests:,} requests in {seconds:.0f} s, {asked.requests / seconds:,.0f}/s")
        print(f"resident: {warm[0]:.0f} MB after warm-up, at most {max(warm):.0f} MB, {warm[-1]:.0f} MB at the end")
        started = time.monotonic()
        assert memo.missing("answers", wanted).is_empty()
        print(f"{time.monotonic() - started:.2f} s to know that nothing is left")


if __name__ == "__main__":
    main()
