"""A backfill whose daemon, webserver, runs and whole machine are killed at random moments: does it end, is its content
that of an undisturbed apply, is anything asked twice?

    python -m am_assets_tests.bench.kills_in_backfill [KILLS] [SEED]

Services, runs, sandbox, training and student are real; teacher, labeler and judge are those of `counted.py`. The graph
is made whole, from the pool to the report of a recipe.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from am_assets.runtime.digests import file_sha256
from am_assets.storage.memo import Memo
from am_assets_tests.blows import ENDS_RUNS, KINDS, Blow, strike
from am_assets_tests.counted import LATENCY, Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.services import Services, environment, serving, until

STORED_WITHIN = 1.0  # seconds after its arrival an answer is on disk
GRACE = 2.0  # a request that a killed run had sent may be read that much later on a busy machine
ASSETS = "{ assetNodes { assetKey { path } dependencyKeys { path } } }"
LAUNCH = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"


@dataclass
class Toll:
    kills: dict[str, int]
    struck: dict[str, dict[str, int]]  # by kind of kill, the assets that were being made then, and how often
    status: str  # of the backfill
    seconds: float
    differ: list[str]  # files that are not those of the undisturbed apply: must be none
    asked: int
    repeated: int  # asked again after a kill: at most what was in flight, or not a second old, at each
    ages: list[float]  # seconds between each of these answers and the kill that lost it
    doubled: int  # measurements stored twice, generations of the student among them: must be 0
    outlived: list[str]  # commands of processes that went on without the run that started them: must be none
    aside: int  # bytes that killed writers left beside what they wrote


def kill_in_backfill(
    folder: Path,
    kills: int,
    seed: int,
    pause: tuple[float, float],
    upto: str = "recipe_report",
    questions: int = 20,
    shards: int = 1,
    start_timeout: int = 120,
) -> Toll:
    """As many kills as named, or fewer where the backfill ends before. `pause`: seconds between two with services up,
    shortest and longest. Both projects stay in `folder`."""
    os.environ["TEST_MODEL_KEY"] = "none"
    quiet, counted = Models(), Models()
    undisturbed = small_project(folder / "undisturbed", quiet, questions, shards, start_timeout)
    disturbed = small_project(folder / "disturbed", counted, questions, shards, start_timeout)
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "apply", "--select", f"+{upto}"]
    apply = subprocess.Popen(command, env=environment(undisturbed.folder), stdout=subprocess.PIPE, text=True)
    started, draw = time.monotonic(), random.Random(seed)
    blows: list[Blow] = []
    with serving(disturbed.folder) as services:
        launched = services.ask(LAUNCH, p={"assetSelection": _above(services, upto), "allPartitions": True})
        backfill = launched["launchPartitionBackfill"]["backfillId"]
        for kind in [kind for _ in range(0, kills, len(KINDS)) for kind in draw.sample(KINDS, len(KINDS))]:
            time.sleep(draw.uniform(*pause))
            if _status(services, backfill) != "REQUESTED":
                break
            blows.append(strike(kind, services, draw))
            print(f"seed {seed}, kill {len(blows)}: {blows[-1]}", flush=True)
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
    moments = [blow.moment for blow in blows if blow.kind in ENDS_RUNS]
    return Toll(
        kills=dict(Counter(blow.kind for blow in blows)),
        struck={kind: dict(Counter(at for blow in blows if blow.kind == kind for at in blow.at)) for kind in KINDS},
        status=status,
        seconds=time.monotonic() - started,
        differ=differing(undisturbed, disturbed),
        asked=len(asked),
        repeated=len(again),
        ages=sorted(round(_age(first + LATENCY, second, moments), 2) for first, second in again),
        doubled=doubled(Memo(disturbed.folder / "memo")),
        outlived=[command for blow in blows for command in blow.outlived],
        aside=sum(path.stat().st_size for path in _files(disturbed) if _is_aside(path.relative_to(disturbed.folder))),
    )


def _above(services: Services, asset: str) -> list[dict]:
    """The keys of an asset and of all that it is made of."""
    nodes = {node["assetKey"]["path"][0]: node for node in services.ask(ASSETS)["assetNodes"]}
    wanted = [asset]
    for name in wanted:
        wanted += [key["path"][0] for key in nodes[name]["dependencyKeys"] if key["path"][0] not in wanted]
    return [nodes[name]["assetKey"] for name in wanted]


def _status(services: Services, backfill: str) -> str:
    return services.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]


def _age(answered: float, again: float, kills: list[float]) -> float:
    """How old an answer was when it was lost to a kill; less than 0 where it was in flight, endless where no kill
    explains that it was asked for again."""
    ages = [at - answered for at in kills if answered - LATENCY - GRACE < at < again]
    return min(ages, default=float("inf"))


def doubled(memo: Memo) -> int:
    keys = [known.select("key").collect() for name in memo.namespaces() if (known := memo.known(name)) is not None]
    return sum(stored.height - stored.n_unique() for stored in keys)


def differing(one: Desk, other: Desk) -> list[str]:
    """The files of the assets, tables, releases, checkpoints and reports, that are not the same in both."""
    first, second = _content(one), _content(other)
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def _content(desk: Desk) -> dict[str, str]:
    paths = {str(path.relative_to(desk.folder / "assets")): path for path in _files(desk) if "assets" in path.parts}
    return {name: file_sha256(path) for name, path in paths.items() if not _is_aside(Path(name))}


def _files(desk: Desk) -> list[Path]:
    return [path for name in ("assets", "models") for path in (desk.folder / name).rglob("*") if path.is_file()]


def _is_aside(path: Path) -> bool:
    """Whether it lies, or lay, where only its writer looks: what is whole has been renamed."""
    return any(part.startswith(".") for part in path.parts)


def main() -> None:
    kills, seed = [*map(int, sys.argv[1:]), *[20, 1][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        print(kill_in_backfill(Path(folder), kills, seed, pause=(1, 14), questions=40, shards=2))


if __name__ == "__main__":
    main()
