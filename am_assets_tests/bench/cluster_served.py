"""A model that Ray serves by two replicas on three machines, one of which dies: is anything lost, or asked for nothing?

    python -m am_assets_tests.bench.cluster_served [QUESTIONS] [--cut]

Machines are namespaces (`cluster/hosts.py`) of one CPU each, Postgres runs beside them, the model is the bundled one,
by llama.cpp. Processes on two machines ask it at the same time; the third machine is killed, or with --cut is cut off
the network for good. Told are where replicas were, when the one that was lost answered again, and how soon all servers
had ended after the last request. Needs root.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

import psutil

from am_assets_tests.cluster.hosts import GATE, Host, await_ray, bridged, postgres_between
from am_assets_tests.server import Postgres
from am_assets_tests.services import until

USER = """
import json, os, sys, time
from pathlib import Path
import polars as pl
from am_assets.config.cluster import load_cluster
from am_assets.config.endpoints import BUNDLED, Endpoint
from am_assets.engines.llm import ask
from am_assets.engines.serving import placing_of
from am_assets.storage.shared.database import open_database
from am_assets_tests.scripted import requests
data = Path(os.environ["AM_DATA"])
cluster = load_cluster(data / "cluster.yaml")
database = open_database(cluster, data / "memo")
one = Endpoint.model_validate({"serve": {"engine": "llama", "replicas": 2}, "context": 256, "concurrency": 2})
asked = requests(*(f"{sys.argv[1]} {at}" for at in range(int(sys.argv[2]))), sampling='{"max_tokens": 24}')
began = time.time()
for rows in ask(asked, BUNDLED, [one], database=database, places=placing_of(cluster, database, data)):
    for key in rows["key"]:
        print(json.dumps({"key": key, "at": time.time()}), flush=True)
"""


def main() -> None:
    count = int(next((word for word in sys.argv[1:] if word[0] != "-"), "120"))
    with tempfile.TemporaryDirectory(prefix="am-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(bridged())
        postgres = stack.enter_context(postgres_between())
        postgres.run("createdb", "served")
        os.environ["AM_DATABASE_URL"] = f"postgresql+psycopg2://am@{GATE}:{postgres.port}/served"
        hosts = []
        for number in range(3):
            hosts.append(host := Host(number, folder))
            stack.callback(host.remove)
        head = f"http://{hosts[0].address}:8265"
        for host in hosts:
            (host.data / "cluster.yaml").write_text(f"launcher: {{ray: '{head}'}}\n")
            host.boot()
            host.start_ray(hosts[0])
        (hosts[0].data / "memo").mkdir()
        for host in hosts[1:]:  # the folder of one project
            (host.data / "memo").mkdir()
        await_ray(head, len(hosts))
        trial(hosts, postgres, count)


def trial(hosts: list[Host], postgres: Postgres, count: int) -> None:
    ask = [sys.executable, "-W", "ignore", "-c", USER]
    first = begin(hosts[0], [*ask, "first", str(count)])
    until(lambda: (hosts[0].data / "memo" / "PROJECT").exists(), "the project is named", 120)
    for host in hosts[1:]:
        (host.data / "memo" / "PROJECT").write_text((hosts[0].data / "memo" / "PROJECT").read_text())
    second = begin(hosts[1], [*ask, "second", str(count)])
    both = {"first": first, "second": second}
    until(lambda: all(len(told(hosts, name)) >= count // 6 for name in both), "both have answers", 400, 0.5)
    placed = servers(postgres)
    print("replicas:", placed, flush=True)
    there = {host.address: host for host in hosts}
    victim = next((there[at] for at in placed.values() if at in there and there[at] is hosts[2]), hosts[2])
    killed = time.time()
    cut = "--cut" in sys.argv
    victim.cut() if cut else victim.kill()
    struck = f"{'cut off' if cut else 'killed'} {victim.name} ({victim.address})"
    print(f"{struck}, {[len(told(hosts, name)) for name in both]} answered", flush=True)
    while any(process.poll() is None for process in both.values()):
        if cut and not left(victim):
            print(f"its server had ended after {time.time() - killed:.0f} s", flush=True)
            cut = False
        if (now := servers(postgres)) != placed:
            print(f"after {time.time() - killed:.0f} s: {now}", flush=True)
            placed = now
        time.sleep(1)
    for name, process in both.items():
        answers = told(hosts, name)
        times = sorted(one["at"] for one in answers)
        gaps = max((b - a for a, b in pairwise(times)), default=0.0)
        keys = [one["key"] for one in answers]
        print(f"{name}: rc {process.returncode}, {len(keys)} answers, {len(set(keys))} different, of {count};", end=" ")
        print(f"longest pause {gaps:.0f} s, ended {times[-1] - killed:.0f} s after the kill", flush=True)
    ended = time.time()
    until(lambda: not left(), "all servers end", 200, 1)
    print(f"no server {time.time() - ended:.0f} s after the last answer; rows left: {servers(postgres)}")


def begin(host: Host, command: list[str]) -> psutil.Popen:
    with (host.disk / "told").open("w") as out, (host.disk / "said").open("w") as said:
        return psutil.Popen(host.command(*command), env=host.environment(), stdout=out, stderr=said)


def told(hosts: list[Host], name: str) -> list[dict]:
    host = hosts[["first", "second"].index(name)]
    return [json.loads(line) for line in (host.disk / "told").read_text().splitlines() if line.endswith("}")]


def servers(postgres: Postgres) -> dict[str, str]:
    """Where each replica is, by its name; how it is where it does not answer."""
    query = "select id, case phase when 'ready' then split_part(split_part(url, '/', 3), ':', 1) else phase end"
    rows = postgres.run("psql", "served", "-AtF ", "-c", f"{query} from am_assets.servers order by 1").splitlines()
    return {row.split()[0][:6]: row.split()[1] for row in rows}


def left(host: Host | None = None) -> list[int]:
    """The processes of servers, of one machine or of all; a server that is none of theirs is in our own namespace."""
    found = []
    own = os.readlink("/proc/self/ns/net")
    space = os.readlink(f"/proc/{host.init.pid}/ns/net") if host and host.init else None
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        with suppress(OSError):
            there = os.readlink(f"/proc/{process.pid}/ns/net")
            here = there == space if space else there != own
            if here and ("engines.serving.placed" in line or "engines.serving.llama" in line):
                found.append(process.pid)
    return found


if __name__ == "__main__":
    main()
