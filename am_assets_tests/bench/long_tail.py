"""What slow answers cost: one in a hundred takes a hundred times as long as the rest.

    python -m am_assets_tests.bench.long_tail [--requests 6000] [--concurrency 100] [--latency 0.1]

The ideal is a machine without overhead that gives the next request, in the same order, to the first free slot.
"""

import argparse
import heapq
import time

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ask
from am_assets_tests.bench.memory import requests
from am_assets_tests.bench.server import is_slow, serving

SLOW_SHARE = 0.01


def ideal(seconds: list[float], slots: int) -> float:
    """When the last of these requests ends."""
    free_at = [0.0] * slots
    for its in seconds:
        heapq.heapreplace(free_at, free_at[0] + its)
    return max(free_at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.1)
    asked = parser.parse_args()
    slow = asked.latency * 100
    questions = [f"Question {number}: what is {number} plus {number}?" for number in range(asked.requests)]
    latencies = [slow if is_slow(question, SLOW_SHARE) else asked.latency for question in questions]
    best = ideal(latencies, asked.concurrency)
    print(f"{asked.requests} requests, {latencies.count(slow)} of them slow, {asked.concurrency} at once")
    with serving(latency=asked.latency, slow_share=SLOW_SHARE, slow_seconds=slow) as url:
        endpoint = Endpoint(api_base=url, concurrency=asked.concurrency)
        list(ask(requests(1), "openai/scripted", [endpoint]))  # imports
        started = time.monotonic()
        answered = sum(frame.height for frame in ask(requests(asked.requests), "openai/scripted", [endpoint]))
        took = time.monotonic() - started
    assert answered == asked.requests
    print(f"{took:.2f} s, ideal {best:.2f} s: {took / best - 1:.1%} more")


if __name__ == "__main__":
    main()
