"""One partition's evidence on 1, 2 and 3 machines of a part of a core each: how far from linear is it?

    python -m am_assets_tests.bench.cluster_speed [verdicts|pairs] [ROWS] [CORES] [HOSTS,...]

Machines are namespaces (`cluster/hosts.py`) in control groups that limit their processor. Postgres, an S3 store, Ray's
head and `am apply` run beside them, and what these take of the processor is told. Measured are verdicts of math that
take algebra, or the pairs of the last of some shards with itself and each of the others. A run measures alone at first,
then with a task on each other machine. Seconds are those of the body of the table, and of the apply, with the start of
its run. All tables have to be those of one machine. Needs root.
"""

import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from am_assets.storage.shared.objects import Objects
from am_assets_tests.cluster.hosts import GATE, Host, await_ray, bridged, postgres_between
from am_assets_tests.cluster.relay import Relay
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.server import Postgres
from am_assets_tests.services import am, until
from am_assets_tests.weed import KEYS, Weed

PERIOD = 100_000  # microseconds over which the kernel holds to a limit
GROUPS = Path("/sys/fs/cgroup")
WEIGHT = 20  # of a machine against what else runs here, of 1
SHARDS = 16
MADE = ("assets", "memo", "graphs", "instance")  # which other machines than the first get by the store
BAR = 0.8


class Limited(Host):
    """A machine whose processes are in a control group of their own."""

    def __init__(self, number: int, folder: Path):
        self.version_1 = (GROUPS / "cpu" / "cgroup.procs").exists()
        self.group = GROUPS / ("cpu" if self.version_1 else "") / f"amspeed{number}"
        self.group.mkdir(exist_ok=True)
        weight = ("cpu.shares", 1024) if self.version_1 else ("cpu.weight", 100)
        (self.group / weight[0]).write_text(str(weight[1] * WEIGHT))  # Ray gives itself 30 s to start
        super().__init__(number, folder)

    def limit(self, cores: float) -> None:
        quota = str(int(cores * PERIOD))
        if self.version_1:
            (self.group / "cpu.cfs_quota_us").write_text(quota)
        else:
            (self.group / "cpu.max").write_text(f"{quota} {PERIOD}")

    def command(self, *command: str) -> list[str]:
        joins = f'echo $$ > {self.group}/cgroup.procs; exec "$@"'
        return ["sh", "-c", joins, "sh", *super().command(*command)]

    def remove(self) -> None:
        super().remove()
        until(lambda: not (self.group / "cgroup.procs").read_text(), "its processes end", 60)
        self.group.rmdir()


@dataclass(frozen=True)
class Work:
    """What is measured: `table` by `apply` of `select`, after `before` was made of what `add` puts into a project;
    `rows` by default."""

    add: Callable[[Desk, int], None]
    before: str
    select: str
    table: str
    rows: int


def answers(desk: Desk, rows: int) -> None:
    """Answers that take algebra to verify."""
    told = []
    for at in range(rows):
        n = at % 40 + 1
        result = rf"{n} + x^2 + \frac{{{n}}}{{2}} x - {at} + {at}"
        said = {"response": rf"<think>{at}.</think> <answer>So \boxed{{{result}}}</answer>"}
        reference = rf"x \left(x + \frac{{{n}}}{{2}}\right) + {n}"
        told.append({"question": f"Which polynomial has {n} in it?", "reference_answer": reference, **said})
    desk.add_source("algebra", told)


def shards(desk: Desk, rows: int) -> None:
    """Shards of so many questions each, all searched for pairs but the last one."""
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5_000)]
    for shard in range(SHARDS):
        told = [{"question": f"What is {' '.join(draw.choices(words, k=12))}?"} for _ in range(rows)]
        if shard == SHARDS - 1:
            made(desk.folder, "+similar_pairs")
        desk.add_source(f"shard{shard:02}", told)


WORKS = {
    "verdicts": Work(answers, "+response_features", "math_verdicts", "math_verdicts/algebra.parquet", 4_000),
    "pairs": Work(
        shards, "+question_embeddings", "similar_pairs", f"similar_pairs/shard{SHARDS - 1:02}.parquet", 20_000
    ),
}


def made(folder: Path, select: str) -> None:
    done = am(folder, "apply", "-r", "plain", "-s", select)
    assert done.returncode == 0, done.stdout + done.stderr


def prepared(folder: Path, models: Models, work: Work, rows: int) -> bytes:
    """Make a project on one machine, up to what is measured; the table that is to come out."""
    desk = small_project(folder, models, questions=2, shards=0, start_timeout=120)
    work.add(desk, rows)
    made(folder, work.before)
    own = folder.with_name("own")
    shutil.copytree(folder, own)
    made(own, work.select)
    return (own / "assets" / work.table).read_bytes()


@contextmanager
def services(stack: ExitStack, folder: Path) -> Iterator[tuple[Postgres, Weed, str]]:
    stack.enter_context(bridged())
    postgres = stack.enter_context(postgres_between())
    (folder / "weed").mkdir()
    weed = Weed(folder / "weed")
    stack.callback(weed.kill)
    weed.start()
    store = Relay(int(weed.endpoint.rpartition(":")[2]), GATE)
    yield postgres, weed, f"http://{GATE}:{store.port}"


def took(postgres: Postgres, weed: Weed, beside: Limited) -> float:
    """Seconds of the processor that the services and what was begun from here took so far, those of ended connections
    of Postgres left out."""
    assert weed.process is not None
    pid = int((postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
    of_head = map(int, (beside.group / "cgroup.procs").read_text().split())
    processes = [weed.process.pid, pid, *(one.pid for one in psutil.Process(pid).children()), *of_head]
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = began.ru_utime + began.ru_stime
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(one).cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def measured(
    work: Work, count: int, cores: float, folder: Path, before: Path, postgres: Postgres, weed: Weed, store: str
) -> dict:
    """Seconds on so many machines, what the log of the run says of tasks, and the folder with all of the store."""
    home, name = folder / f"on{count}", f"speed{count}"
    home.mkdir()
    postgres.run("createdb", name)
    os.environ["AM_DATABASE_URL"] = f"postgresql+psycopg2://am@{GATE}:{postgres.port}/{name}"
    with ExitStack() as stack:
        hosts = [Limited(number, home) for number in range(count + 1)]
        for host in hosts:
            stack.callback(host.remove)
        beside, *limited = hosts
        head = f"http://{beside.address}:8265"
        settings = {"store": f"s3://project/{name}", "endpoint": store, "launcher": {"ray": head, "runs": count}}
        for host in hosts:
            left_out = shutil.ignore_patterns(*(() if host is beside else MADE))
            shutil.copytree(before, host.data, dirs_exist_ok=True, ignore=left_out)
            Desk(host.data).write("cluster.yaml", settings)
            host.boot()
            host.start_ray(beside, cpus=int(host is not beside))
        await_ray(head, count + 1)
        moved = beside.am("cluster", "move")
        assert moved.wait() == 0, moved.stdout and moved.stdout.read()
        for host in limited:
            host.limit(cores)
        services_before, began = took(postgres, weed, beside), time.monotonic()
        applied = beside.am("apply", "-r", "plain", "-s", work.select)
        told, _ = applied.communicate()
        seconds = time.monotonic() - began
        assert applied.returncode == 0, told
        services = (took(postgres, weed, beside) - services_before) / seconds
        for host in limited:
            host.limit(4)
        of_run = "select event from event_logs where run_id = (select run_id from runs order by id desc limit 1)"
        log = postgres.run("psql", name, "-Atc", f"{of_run} order by id")
        body = max(float(one) for one in re.findall(r'"value": ([0-9.]+)\}, "label": "seconds"', log) or [seconds])
        events = re.findall(r'"((?:A task on|The task on|[a-z]+: a task|a task of)[^"]*)"', log)
    objects = Objects(f"s3://project/{name}", weed.endpoint)
    held = objects.find(f"assets/{work.table}")
    table = b"".join(objects.read(f"assets/{work.table}", held)) if held else b""
    return {"hosts": count, "seconds": seconds, "body": body, "services": services, "events": events, "table": table}


def main() -> None:
    name, *asked = sys.argv[1:] or ["verdicts"]
    work = WORKS[name]
    rows, cores, counts = [*asked, *[str(work.rows), "0.4", "1,2,3"][len(asked) :]]
    with tempfile.TemporaryDirectory(prefix="am-", ignore_cleanup_errors=True) as at, ExitStack() as stack:
        folder = Path(at)
        os.environ |= KEYS | {"TEST_MODEL_KEY": "none", "OMP_NUM_THREADS": "1", "DOCKER_HOST": "unix:///nowhere"}
        before = folder / "before"
        alone = prepared(before, Models(), work, int(rows))
        with services(stack, folder) as (postgres, weed, store):
            found = []
            for count in map(int, counts.split(",")):
                one = measured(work, count, float(cores), folder, before, postgres, weed, store)
                assert one["table"] == alone, "another table than one machine's"
                found.append(one)
                print(json.dumps({key: value for key, value in one.items() if key != "table"}), flush=True)
    print(f"\n{'hosts':>5}{'apply s':>9}{'body s':>8}{'of linear':>11}{'services, cores':>17}   load {os.getloadavg()}")
    for one in found:
        ratio = found[0]["body"] / one["body"] / one["hosts"] * found[0]["hosts"]
        holds = "" if ratio >= BAR else f"  below {BAR}"
        print(
            f"{one['hosts']:>5}{one['seconds']:>9.0f}{one['body']:>8.0f}{ratio:>11.2f}{one['services']:>17.2f}{holds}"
        )


if __name__ == "__main__":
    main()
