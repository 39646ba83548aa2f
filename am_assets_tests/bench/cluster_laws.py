"""What `cluster_faults` makes on several machines, and what has to hold of it whatever happened meanwhile."""

import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import psutil
import yaml

from am_assets.storage.memo import Memo
from am_assets_tests.bench.kills_in_backfill import GRACE, STORED_WITHIN, differing, doubled
from am_assets_tests.cluster.hosts import Host
from am_assets_tests.counted import LATENCY, Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.server import Postgres

SELECT = "+sft_dataset or key:recipe_report"
QUESTIONS, SHARDS = 8, 2
BUDGET_USD = 60.0  # what killed processes had in flight counts at its upper bound, $2.11 a request
PRICE = 1000  # dollars a million tokens
COSTS = 8 * PRICE / 1e6  # of a scripted answer
LOOK_SECONDS = 0.5
GUARD = "am_assets.orchestration.guard"  # in the command of what watches a run
RUN = re.compile(r'"pipeline_run_id": "([0-9a-f-]{36})"')
SPENT = """select coalesce((select sum(settled) from am_assets.budgets where name = 'all'), 0)
    + coalesce((select sum(drawn) from am_assets.draws where budget = 'all'), 0)"""
RUNS = """select run_id, max(value) filter (where key = 'am/asset'), max(partition) from runs
    join run_tags using (run_id) group by run_id"""


@dataclass
class Project:
    """The folder of each machine, and one for a single machine with servers of its own."""

    folder: Path
    alone: Desk
    shards: int

    def grow(self, hosts: Sequence[Host]) -> None:
        """A shard more, on all machines."""
        name = f"asked{self.shards}"
        totals = {f"A jar of {name} holds {n} beans and gets {n * n}. How many?": n + n * n for n in range(QUESTIONS)}
        for desk in (self.alone, *(Desk(host.data) for host in hosts)):
            desk.add_source(name, [{"question": one, "reference_answer": str(sum_)} for one, sum_ in totals.items()])
        self.shards += 1


def small_cluster(hosts: Sequence[Host], models: Models, reach: dict[str, str], store: str, head: str) -> Project:
    folder = hosts[0].folder
    alone = small_project(folder / "alone", models, QUESTIONS, SHARDS, 120)
    endpoints = yaml.safe_load((alone.folder / "endpoints.yaml").read_text())
    prices = {"input_price": PRICE, "output_price": PRICE, "concurrency": 4}
    alone.write("endpoints.yaml", {name: {**one, **prices, "api_base": reach[name]} for name, one in endpoints.items()})
    for host in hosts:
        shutil.copytree(alone.folder, host.data, dirs_exist_ok=True)
        launcher = {"ray": head, "runs": len(hosts)}
        settings = {"store": "s3://project/faults", "endpoint": store, "budget_usd": BUDGET_USD, "launcher": launcher}
        Desk(host.data).write("cluster.yaml", settings)
    return Project(folder, alone, SHARDS)


class Seen:
    """The processes that carry out runs, and when each was seen at work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times: dict[tuple[str, int], list[float]] = {}
        self.stop = False
        self._now: list[psutil.Process] = []

    def now(self) -> list[psutil.Process]:
        return self._now

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        yield
        self.stop = True
        thread.join()

    def _look(self) -> None:
        while not self.stop:
            found, at = [], time.monotonic()
            for process in psutil.process_iter():
                try:
                    command = process.cmdline()
                    ours = "execute_run" in command and GUARD not in command and str(self.folder) in command[-1]
                    if ours and (run := RUN.search(command[-1])):
                        self.times.setdefault((run[1], process.pid), []).append(at)
                        found.append(process)
                except psutil.Error:
                    continue
            self._now = found
            time.sleep(LOOK_SECONDS)

    def at_once(self, names: dict[str, tuple[str, str]]) -> list[str]:
        """Runs of the same partition that were at work at the same time, by the clock of all."""
        spans: dict[str, tuple[float, float]] = {}
        for (run, _), times in self.times.items():
            first, last = spans.get(run, (times[0], times[-1]))
            spans[run] = min(first, times[0]), max(last, times[-1])
        found = []
        for (one, (a, b)), (other, (c, d)) in combinations(spans.items(), 2):
            if one in names and names.get(one) == names.get(other) and max(a, c) <= min(b, d):
                found.append(f"{names[one]}: {min(b, d) - max(a, c):.1f} s")
        return found


class Laws:
    def __init__(self, project: Project, models: Models, postgres: Postgres, seen: Seen, faults: Sequence[Any]):
        self.project, self.faults, self.seen = project, faults, seen
        rows = [line.split("|") for line in postgres.run("psql", "faults", "-Atc", RUNS).splitlines()]
        self.names = {run: (asset, partition) for run, asset, partition in rows}
        self.spent = float(postgres.run("psql", "faults", "-Atc", SPENT))
        self.asked = models.asked()
        self.runs = len(rows)
        self.differ: list[str] = []
        self.doubled = 0
        self.files = 0

    def compare(self, am: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        """Make the same on one machine, and have all of the store here."""
        one = am(self.project.alone.folder, "apply", "-r", "plain", "-s", SELECT, "--budget", "100")
        if one.returncode:
            raise RuntimeError(one.stdout + one.stderr)
        third = Desk(self.project.folder / "third")
        shutil.copytree(self.project.folder / "h0" / "data", third.folder)
        third.write("cluster.yaml", {})
        moved = am(third.folder, "cluster", "move")
        if moved.returncode:
            raise RuntimeError(moved.stdout + moved.stderr)
        found = differing(self.project.alone, third)
        self.differ = [name for name in found if not name.endswith(".files")]  # lists of what a store has
        self.files = sum(path.is_file() for path in (self.project.alone.folder / "assets").rglob("*"))
        self.doubled = doubled(Memo(third.folder / "memo"))

    def table(self) -> list[str]:
        """Print what was found; the laws that were broken."""
        again = [pair for times in self.asked.values() for pair in pairwise(times)]
        unexplained = [first for first, _ in again if not self._explains(first)]
        by = Counter(fault.kind for first, _ in again for fault in self._explains(first)[:1])
        overlapping, requests = self.seen.at_once(self.names), sum(map(len, self.asked.values()))
        rows = {
            f"files that differ, of {self.files}": self.differ,
            f"answers asked again, of {len(self.asked)}, beyond what was in flight at a fault": unexplained,
            "measurements stored twice": ["doubled"] * self.doubled,
            f"runs of one partition at work at once, of {self.runs}": overlapping,
            f"budget: counted ${self.spent:.3f}, cost ${requests * COSTS:.3f}, of ${BUDGET_USD:.2f}": (
                [] if requests * COSTS <= self.spent + 1e-6 <= BUDGET_USD + 2e-6 else ["wrong"]
            ),
        }
        print(f"\nasked again, in flight at a fault: {len(again) - len(unexplained)} {dict(by)}")
        for law, broken in rows.items():
            print(f"{'BROKEN' if broken else 'holds':<8}{law}: {len(broken)} {broken[:6] if broken else ''}")
        return [law for law, broken in rows.items() if broken]

    def _explains(self, first: float) -> list[Any]:
        """The faults at which an answer that was asked for then was in flight, or not a second old."""
        slack = LATENCY + STORED_WITHIN + GRACE
        return [fault for fault in self.faults if fault.began - slack <= first <= fault.ended + GRACE]
