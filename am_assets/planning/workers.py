"""What each machine of a cluster has, told by jobs that look from there: for `am cluster check`.

python -m am_assets.planning.workers          on a machine of a Ray cluster: prints a line of JSON for each of them
python -m am_assets.planning.workers --here   for this one
"""

import json
import os
import platform
import socket
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from am_assets.config.cluster import FILE, GB, Launcher, load_cluster
from am_assets.engines.ray_head import silence
from am_assets.planning.machine import Finding, own, wrong
from am_assets.runtime.wording import counted

RESTS_ON = "ray dagster dagster-ray dagster-postgres polars torch transformers"
PACKAGES = tuple(RESTS_ON.split())
MARK = "am-worker "  # what a line of a machine begins with, among those of others
HERE = "--here"
SECONDS = 120.0
PIECE = "ray"
ADVICE = "start its head with --dashboard-host=0.0.0.0, and see that this machine may reach it"


def tried(launcher: Launcher, data: Path) -> Iterator[Finding]:
    """What the cluster says, and what its machines are like."""
    if launcher.kubernetes:
        from am_assets.planning import pods

        yield from pods.tried(launcher, launcher.kubernetes, data)
    elif launcher.ray:
        yield from _of_ray(launcher, launcher.ray, data)


def _of_ray(launcher: Launcher, address: str, data: Path) -> Iterator[Finding]:
    if fault := silence(address):
        yield wrong(PIECE, fault, ADVICE)
        return
    try:
        from ray.job_submission import JobSubmissionClient

        client = JobSubmissionClient(address)
        told = [*_told(client, data)]
    except ImportError:
        advice = "pip install --constraint constraints.txt am-assets[ray]"
        yield wrong(PIECE, "its packages are not here", advice)
        return
    except (OSError, RuntimeError) as error:
        why = " ".join(str(error).split())[:300]
        yield wrong(PIECE, f"{address}: {why}", ADVICE)
        return
    yield Finding(PIECE, f"{address}: {counted(len(told), 'machine')}", there=True)
    here = about(data)
    for one in told:
        yield from compared(one, here)
    yield from _room(launcher, [one["resources"] for one in told])


def _told(client: Any, data: Path) -> Iterator[dict[str, Any]]:
    job = client.submit_job(
        entrypoint=f"exec {sys.executable} -W ignore -m am_assets.planning.workers",
        runtime_env={"env_vars": {"AM_DATA": str(data)}},
        entrypoint_num_cpus=0.01,
    )
    end = time.monotonic() + SECONDS
    while not client.get_job_status(job).is_terminal():
        if time.monotonic() > end:
            client.stop_job(job)
            raise RuntimeError(
                f"a job that asks the machines did not end within {SECONDS:.0f} s: is there room for it?"
            )
        time.sleep(0.5)
    said = client.get_job_logs(job).splitlines()
    found = read(said)
    if not found:
        raise RuntimeError(f"a job that asks the machines failed there: {said[-1] if said else 'it said nothing'}")
    yield from found


def read(said: list[str]) -> list[dict[str, Any]]:
    """What machines told, among the lines that a job said."""
    return [json.loads(line.removeprefix(MARK)) for line in said if line.startswith(MARK)]


def compared(one: dict[str, Any], here: dict[str, Any]) -> Iterator[Finding]:
    """Where a machine differs from this one in what results rest on, and what it has of its own."""
    name = f"on {one['host']}"
    differ = [f"{what} {one[what]}, here {here[what]}" for what in here["alike"] if one[what] != here[what]]
    if differ:
        yield wrong(name, "; ".join(differ), "install the same on all machines")
    else:
        yield Finding(name, f"am-assets {one['code']}, python {one['python']}, packages as here", there=True)
    if fault := one["fault"]:
        yield wrong(name, fault, "give it folder and environment as here")
    for what, found, there in one["own"]:
        yield Finding(f"{name}: {what}", found, there)


def _room(launcher: Launcher, machines: list[dict[str, float]]) -> Iterator[Finding]:
    """Pools whose runs no machine has what they take for, and more runs at once than there is room for."""
    for pool in ("teacher", "judge", "sandbox", "gpu", "free"):
        takes = {{"cpu": "CPU", "gpu": "GPU"}.get(what, what): much for what, much in launcher.takes([pool]).items()}
        units = {"memory": GB}  # Ray counts bytes
        room = sum(
            min(int(has.get(what, 0) / (much * units.get(what, 1)) + 1e-9) for what, much in takes.items())
            for has in machines
        )
        said = ", ".join(f"{much:g} {what}" for what, much in takes.items())
        if not room:
            advice = f"launcher.resources.{pool}: take less, or start machines with it (ray start --resources)"
            yield wrong(f"pool {pool}", f"no machine has {said}", advice)
        elif room < launcher.runs:
            found = f"room for {room} of {launcher.runs} runs at once ({said})"
            yield Finding(
                f"pool {pool}", found, remedy="set launcher.runs to no more: a run waits 14 minutes, and fails"
            )


def about(data: Path) -> dict[str, Any]:
    """This machine."""
    from am_assets.storage.shared.leases import code

    packages = {name: _version(name) for name in PACKAGES}
    return {
        "host": socket.gethostname(),
        "code": code(),
        "python": platform.python_version(),
        **packages,
        "alike": ["code", "python", *packages],
        "own": [(one.name, one.found, one.there) for one in own(data)],
        "fault": _fault(data),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _fault(data: Path) -> str | None:
    from am_assets.storage.shared.database import open_database

    if not (data / FILE).exists():
        return f"{data}: the folder of the project is not there"
    try:
        open_database(load_cluster(data / FILE), data / "memo")
    except Exception as error:
        return " ".join(str(error).split())
    return None


def main() -> None:
    """Ask each machine of the cluster that this one is of."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray.init(address="auto", log_to_driver=False)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    asked = [
        ray.remote(about)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(Path(os.environ["AM_DATA"]))
        for node in nodes
    ]
    for node, one in zip(nodes, asked, strict=True):
        print(MARK + json.dumps(ray.get(one) | {"resources": node["Resources"]}), flush=True)


if __name__ == "__main__":
    from am_assets.planning.workers import main as imported  # so that Ray finds `about` by its name

    if HERE in sys.argv:
        print(MARK + json.dumps(about(Path(os.environ["AM_DATA"]))), flush=True)
    else:
        imported()
