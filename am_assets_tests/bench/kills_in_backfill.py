"""A backfill whose daemon, webserver, runs and whole machine are killed at random moments: does it end, is its content
that of an undisturbed apply, is anything asked twice?

    python -m am_assets_tests.bench.kills_in_backfill [KILLS] [SEED]

Services, runs and sandbox are real; the models are those of `counted.py`.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import psutil

from am_assets_tests.counted import LATENCY, Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.services import Services, environment, serving, until

KINDS = ["run", "daemon", "webserver", "everything"]
STORED_WITHIN = 1.0  # seconds after its arrival an answer is on disk
GRACE = 2.0  # a request that a killed run had sent may be read that much later on a busy machine
BELOW = {
    "sft_checkpoint",
    "benchmark_responses",
    "eval_scores",
    "recipe_report",
}  # the dataset: the backfill ends there
BELOW |= {"training_policy", "evaluation_policy"}
ASSETS = "{ assetNodes { assetKey { path } } }"
LAUNCH = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"


@dataclass
class Toll:
    kills: dict[str, int]
    status: str  # of the backfill
    seconds: float
    differ: list[str]  # files that are not those of the undisturbed apply: must be none
    asked: int
    repeated: int  # asked again after a kill: at most what was in flight, or not a second old, at each
    ages: list[float]  # seconds between each of these answers and the kill that lost it


def kill_in_backfill(
    folder: Path,
    kills: int,
    seed: int,
    pause: tuple[float, float],
    questions: int = 20,
    shards: int = 1,
    start_timeout: int = 120,
) -> Toll:
    """`pause`: seconds between two kills with all services up, shortest and longest. Both projects stay in `folder`."""
    os.environ["TEST_MODEL_KEY"] = "none"
    quiet, counted = Models(), Models()
    undisturbed = small_project(folder / "undisturbed", quiet, questions, shards, start_timeout)
    disturbed = small_project(folder / "disturbed", counted, questions, shards, start_timeout)
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", "--select", "+sft_dataset"]
    apply = subprocess.Popen(command, env=environment(undisturbed.folder), stdout=subprocess.PIPE, text=True)
    started, draw = time.monotonic(), random.Random(seed)
    deaths: list[str] = []
    moments: list[float] = []  # of kills that end a run
    with serving(disturbed.folder) as services:
        keys = [node["assetKey"] for node in services.ask(ASSETS)["assetNodes"]]
        above = [key for key in keys if key["path"][0] not in BELOW]
        launched = services.ask(LAUNCH, p={"assetSelection": above, "allPartitions": True})
        backfill = launched["launchPartitionBackfill"]["backfillId"]
        while len(deaths) < kills:
            for kind in draw.sample(KINDS, len(KINDS)):
                time.sleep(draw.uniform(*pause))
                victims = _victims(kind, services, draw)
                if kind in ("run", "everything"):
                    moments.append(time.monotonic())
                for kill in victims:
                    with suppress(psutil.NoSuchProcess):
                        kill()
                deaths.append(kind)
                print(f"seed {seed}, kill {len(deaths)}: {kind}", flush=True)
                services.start()
        until(lambda: _status(services, backfill) != "REQUESTED", "the backfill ends", seconds=3600, every=0.5)
        status = _status(services, backfill)
    said, _ = apply.communicate()
    if apply.returncode:
        raise RuntimeError(said)
    for models in (quiet, counted):
        models.stop()
    asked = counted.asked()
    again = [pair for times in asked.values() for pair in pairwise(times)]
    return Toll(
        kills={kind: deaths.count(kind) for kind in KINDS},
        status=status,
        seconds=time.monotonic() - started,
        differ=_differing(undisturbed, disturbed),
        asked=len(asked),
        repeated=len(again),
        ages=sorted(round(_age(first + LATENCY, second, moments), 2) for first, second in again),
    )


def _victims(kind: str, services: Services, draw: random.Random) -> list[Callable[[], None]]:
    """What kills them; nothing where a run is to die and none comes any more."""
    if kind == "run":
        with suppress(TimeoutError):
            return [draw.choice(until(services.runs, "a run", seconds=20)).kill]
        return []
    return [partial(services.kill, name) for name in (list(services.running) if kind == "everything" else [kind])]


def _status(services: Services, backfill: str) -> str:
    return services.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]


def _age(answered: float, again: float, kills: list[float]) -> float:
    """How old an answer was when it was lost to a kill; less than 0 where it was in flight, endless where no kill
    explains that it was asked for again."""
    ages = [at - answered for at in kills if answered - LATENCY - GRACE < at < again]
    return min(ages, default=float("inf"))


def _differing(one: Desk, other: Desk) -> list[str]:
    first, second = one.bytes(), other.bytes()
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def main() -> None:
    kills, seed = [*map(int, sys.argv[1:]), *[20, 1][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        print(kill_in_backfill(Path(folder), kills, seed, pause=(1, 12), questions=100, shards=3))


if __name__ == "__main__":
    main()
