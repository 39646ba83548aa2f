"""Runs that generate answers and the server that gives them, killed at random moments: is an answer lost, or asked
again that was not in flight?

    python -m am_assets_tests.bench.kills_in_generation [KILLS] [SEED]

Each kill strikes the run, the server, the process that keeps the server, or run and server at once. A stand-in plays
vllm (`am_assets_tests/engines/serving/standin.py`), which notes what it is asked and when it answered; run, memo,
keeper and the stream of requests are real.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from am_assets.storage.memo import Memo
from am_assets_tests.engines.serving.playing import Standin, on_path, until
from am_assets_tests.students import write_tiny_student

SLOTS = 4
LATENCY = 0.1
STORED_WITHIN = 1.0  # seconds after its arrival an answer is on disk
VICTIMS = ["run", "server", "keeper", "run and server"]
RUN = """
import sys
from pathlib import Path
import polars as pl
from am_assets.config.endpoints import Endpoint
from am_assets.engines.models import answering
from am_assets.engines.models.student import GENERATION
from am_assets.storage.memo import Memo
home = Path(sys.argv[1])
answering.refuse_unusable = lambda folder: None  # it imports transformers, which takes longer than all the rest
entry = Endpoint.model_validate({"serve": {"engine": "vllm"}, "concurrency": int(sys.argv[2])})
def generate(missing):
    yield from answering.answers("mine", home / "student", missing, [entry], temperature=0, top_p=1, max_tokens=8)
Memo(home / "memo").fill("generations", pl.read_parquet(home / "prompts.parquet"), generate, GENERATION)
"""


@dataclass
class Toll:
    kills: dict[str, int]
    wanted: int
    stored: int  # keys: must be those wanted
    doubled: int  # stored twice: must be 0
    repeated: int  # asked again
    excess: int  # of these, such as were answered more than a second before the kill: must be 0
    left: list[int]  # processes that outlived everybody: must be none
    seconds: float


def kill_in_generation(home: Path, kills: int, seed: int, prompts: int) -> Toll:
    """Generate answers to `prompts` in `home`, with so many kills, or fewer where all are answered before."""
    draw, started, struck = random.Random(seed), time.monotonic(), []
    standin = Standin(home)
    standin.says(seconds=LATENCY)
    write_tiny_student(home / "student")
    messages = [json.dumps([{"role": "user", "content": f"question {n}"}]) for n in range(prompts)]
    wanted = pl.DataFrame({"key": [f"question {n}" for n in range(prompts)], "messages": messages, "seed": 0})
    wanted.write_parquet(home / "prompts.parquet")
    environment = os.environ | on_path(home) | {"TMPDIR": str(home)}
    moments: list[float] = []
    run = _start(home, environment)
    while run.poll() is None or run.returncode:
        if run.poll() is not None:  # killed: the next run goes on
            run = _start(home, environment)
        if len(moments) < kills:
            _until_more(standin, run)
            time.sleep(draw.uniform(0, 1.0))
            victim = VICTIMS[len(moments) % len(VICTIMS)]
            moments.append(time.time())
            struck.append(victim)
            _strike(victim, run, standin, home)
        else:
            run.wait()
    stored = Memo(home / "memo").known("generations")
    assert stored is not None
    keys = stored.select("key").collect()["key"]
    asked = Counter(line["question"] for line in standin.lines("asked"))
    gone = until(lambda: not standin.left())
    return Toll(
        dict(Counter(struck)), prompts, keys.n_unique(), keys.len() - keys.n_unique(),
        sum(count - 1 for count in asked.values()), _excess(standin, moments),
        [] if gone else standin.left(), time.monotonic() - started,
    )  # fmt: skip


def _excess(standin: Standin, moments: list[float]) -> int:
    """Answers that were asked again though they had arrived long enough before the kill that came between."""
    asked_at: dict[str, float] = {}
    answered_at: dict[str, float] = {}
    again = 0
    answered = [(line["at"], line["question"], False) for line in standin.lines("answered")]
    asked = [(line["at"], line["question"], True) for line in standin.lines("asked")]
    for at, question, is_request in sorted(answered + asked):
        if not is_request:
            answered_at.setdefault(question, at)
            continue
        if question in answered_at:
            between = [moment for moment in moments if asked_at[question] < moment < at]
            again += not any(moment - answered_at[question] < STORED_WITHIN for moment in between)
            del answered_at[question]
        asked_at[question] = at
    return again


def _until_more(standin: Standin, run: subprocess.Popen) -> None:
    """Wait for another answer, or the end of the run."""
    seen = len(standin.lines("answered"))
    until(lambda: len(standin.lines("answered")) > seen or run.poll() is not None, seconds=600)


def _start(home: Path, environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", RUN, str(home), str(SLOTS)], env=environment)


def _strike(victim: str, run: subprocess.Popen, standin: Standin, home: Path) -> None:
    if "server" in victim:
        standin.kill()
    if victim == "keeper":
        for path in (home / f"am-assets-{os.getuid()}" / "servers").glob("*/state.json"):
            with suppress(OSError, ValueError):
                os.kill(json.loads(path.read_text())["keeper"], signal.SIGKILL)
    if "run" in victim:
        run.kill()
        run.wait()


def main() -> None:
    kills, seed = (int(word) for word in [*sys.argv[1:], *["200", "0"][len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as home:
        print(kill_in_generation(Path(home), kills, seed, prompts=kills * 30))


if __name__ == "__main__":
    main()
