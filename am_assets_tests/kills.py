"""A run that is killed again and again at random moments, beside a server that counts: what is lost, what is repeated.

    python -m am_assets_tests.kills URL FOLDER SEED KILLS REQUESTS

Run as a script it kills that many children, lets a last one come to its end, and prints the moments of the kills as
JSON. Children are forked from a process that has imported everything and used nothing, so that a start takes
milliseconds.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from am_assets_tests.bench.server import serving

BOUND_SECONDS = 1.0
GRACE_SECONDS = 0.1
LIFETIMES = (0.05, 1.6)  # seconds, shortest and longest


@dataclass
class Toll:
    kills: int
    answers: int  # that the server sent
    repeated: int  # sent again after a kill: what each kill may cost
    overdue: int  # of these, first sent more than the bound before the kill: must be 0
    oldest_lost: float  # seconds between the sending of an answer and the kill that lost it, at most
    doubled: int  # keys stored twice: must be 0
    wrong: int  # stored answers that are not what the server sent, or missing: must be 0


def count(seed: int, kills: int, requests: int) -> Toll:
    """Kill one run `kills` times, and compare what the server sent with what is stored."""
    import polars as pl

    from am_assets.storage.memo import Memo

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "sent.tsv")
        with serving(latency=0.05, answer_bytes=2000, log=log) as url:
            script = [sys.executable, "-m", "am_assets_tests.kills", url, folder, str(seed), str(kills), str(requests)]
            ran = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[1])
        if ran.returncode:
            raise RuntimeError(ran.stderr[-2000:])
        moments = json.loads(ran.stdout)
        sent: dict[str, list[float]] = {}
        for line in log.read_text().splitlines():
            question, at = line.split("\t")
            sent.setdefault(question, []).append(float(at))
        known = Memo(Path(folder, "memo")).known("answers")
        assert known is not None
        stored = known.select("key", "text").collect()
        ages = [_age(at, again, moments) for times in sent.values() for at, again in pairwise(times)]
        right = sum(text.startswith(f"{key} Adding") for key, text in stored.unique("key").rows())
        return Toll(
            kills=len(moments),
            answers=sum(map(len, sent.values())),
            repeated=len(ages),
            overdue=sum(age > BOUND_SECONDS for age in ages),
            oldest_lost=max(ages, default=0.0),
            doubled=stored.height - stored.select(pl.col("key").n_unique()).item(),
            wrong=requests - right,
        )


def _age(at: float, again: float, moments: list[float]) -> float:
    """How old an answer was when a kill lost it; endless where none came between it and the second asking. A kill may
    come a moment before the server hears that nobody is there any more."""
    between = [moment for moment in moments if at - GRACE_SECONDS < moment < again]
    return max(0.0, between[0] - at) if between else float("inf")


def tolls(kills: int, requests: int, loops: int = 4) -> list[Toll]:
    """Several killed runs side by side: they mostly wait."""
    with ThreadPoolExecutor(loops) as pool:
        return list(pool.map(lambda seed: count(seed, kills // loops, requests), range(loops)))


def run(url: str, folder: str, requests: int, concurrency: int) -> None:
    import polars as pl

    from am_assets.config.endpoints import Endpoint
    from am_assets.engines.llm import ANSWER, ask
    from am_assets.storage.memo import Memo

    keys = [f"question-{number}" for number in range(requests)]
    messages = [json.dumps([{"role": "user", "content": key}]) for key in keys]
    wanted = pl.DataFrame({"key": keys, "messages": messages, "sampling": "{}"})
    reach = [Endpoint(api_base=url, concurrency=concurrency)]
    Memo(Path(folder, "memo")).complete("answers", wanted, lambda rows: ask(rows, "openai/scripted", reach), ANSWER)


def main() -> None:
    url, folder, seed, kills, requests = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    os.environ["TMPDIR"] = folder  # limits of its own
    import am_assets.engines.llm  # noqa: F401, I001  (before litellm: it keeps it off the network)
    import aiohttp  # noqa: F401
    import jsonschema  # noqa: F401
    import litellm  # noqa: F401
    import polars  # noqa: F401

    moments = []
    draw = random.Random(seed)
    for number in range(kills + 1):
        last = number == kills
        child = os.fork()
        if not child:
            run(url, folder, requests, concurrency=64 if last else 8)
            os._exit(0)
        if not last:
            time.sleep(draw.uniform(*LIFETIMES))
            moments.append(time.monotonic())
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"the last run failed with status {status}")
    print(json.dumps(moments))


if __name__ == "__main__":
    main()
