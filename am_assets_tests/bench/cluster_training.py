"""A training over two machines of a Ray cluster, one of which dies in the middle: the losses of one process?

    python -m am_assets_tests.bench.cluster_training [EPOCHS] [--store] [--run] [--fsdp2]

Machines are namespaces (`cluster/hosts.py`) that see one folder, or have an S3 store. Two of one CPU train a tiny
student by gloo, with DDP or FSDP2; the third has Ray's head alone. Once the training has saved, the machine beside that
of its run, or with --run that one, is killed, and begun again 20 s later; with a store, without what was on its disk. A
training by one process of these rows tells what the losses have to be. Needs root.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import polars as pl
import psutil

from am_assets.engines.ray_head import machines
from am_assets_tests.bench.cluster_speed import MADE
from am_assets_tests.cluster import hosts as places
from am_assets_tests.cluster.hosts import GATE, NET, Host, await_ray, bridged, postgres_between
from am_assets_tests.cluster.relay import Relay
from am_assets_tests.counted import Models, small_project
from am_assets_tests.services import am, until
from am_assets_tests.students import write_tiny_student
from am_assets_tests.weed import KEYS, Weed

BEFORE, TRAINED = ("apply", "-r", "plain", "-s", "+sft_dataset"), ("-r", "plain", "-s", "sft_checkpoint")
LOGGED = ("apply", "-r", "plain", "-s", "training_policy or sft_checkpoint or training_log")
LOG = "assets/training_log/plain.parquet"
WITHIN = 1e-4
START = ("ray.scripts.scripts", "start", "--block", "--disable-usage-stats")


class Apart(Host):
    """A machine whose Ray has one CPU, or none where it is the head."""

    def start_ray(self, head: Host) -> None:
        cpus = "0" if head is self else "1"
        places.RAY = (*START, "--num-cpus", cpus)
        super().start_ray(head)


def main() -> None:
    stored = "--store" in sys.argv
    epochs = float(next((word for word in sys.argv[1:] if word[0] != "-"), "20"))
    with tempfile.TemporaryDirectory(prefix="am-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        os.environ |= {"TEST_MODEL_KEY": "none", "OMP_NUM_THREADS": "1", "DOCKER_HOST": "unix:///nowhere", **KEYS}
        desk = small_project(folder / "data", Models(), questions=12, shards=2, start_timeout=120)
        student = write_tiny_student(folder / "tiny")
        policy = {"student": str(student), "batch_size": 4, "epochs": epochs, "learning_rate": 1e-3}
        desk.edit("plain", "training", **policy, gradient_checkpointing=False)
        spread = "fsdp2" if "--fsdp2" in sys.argv else "ddp"
        two = {"device": "cpu", "machines": 2, "save_steps": 10, "spread": spread}
        desk.write("hardware.yaml", {"cpu": {"device": "cpu"}, "two": two})
        done(am(folder / "data", *BEFORE))
        shutil.copytree(folder / "data", folder / "own")
        done(am(folder / "own", *LOGGED))
        stack.enter_context(bridged())
        postgres = stack.enter_context(postgres_between())
        postgres.run("createdb", "trained")
        os.environ["AM_DATABASE_URL"] = f"postgresql+psycopg2://am@{GATE}:{postgres.port}/trained"
        places.OWN = places.OWN if stored else ("tmp", "ray")
        head = f"http://{NET}.10:8265"
        desk.write("cluster.yaml", {"launcher": {"ray": head, "runs": 2}} | (store(stack, folder) if stored else {}))
        there = [Apart(number, folder) for number in range(3)]
        for host in there:
            stack.callback(host.remove)
            if stored:
                left_out = shutil.ignore_patterns(*(MADE if host is not there[0] else ()))
                shutil.copytree(folder / "data", host.data, dirs_exist_ok=True, ignore=left_out)
        shutil.rmtree(folder / "data" / "assets") if stored else None
        for host in there:
            host.boot()
            host.start_ray(there[0])
        await_ray(head, len(there))
        print(machines(head), flush=True)
        moved = there[0].am("cluster", "move")
        assert moved.wait() == 0, moved.stdout and moved.stdout.read()
        os.environ["AM_HARDWARE"] = "two"
        trial(there, folder)


def store(stack: ExitStack, folder: Path) -> dict[str, str]:
    (folder / "weed").mkdir()
    weed = Weed(folder / "weed")
    stack.callback(weed.kill)
    weed.start()
    relay = Relay(int(weed.endpoint.rpartition(":")[2]), GATE)
    return {"store": "s3://project/trained", "endpoint": f"http://{GATE}:{relay.port}"}


def trial(there: list[Host], folder: Path) -> None:
    began = time.monotonic()
    with (folder / "said").open("w") as said:
        command = there[0].command(sys.executable, "-W", "ignore", "-m", "am_assets.cli", *LOGGED)
        apply = psutil.Popen(command, env=there[0].environment(), stdout=said, stderr=said)
    last = "assets/checkpoints/.*.resume/checkpoint-[3-9]0"
    saved = (f"data/{last}", f"h*/data/{last}")
    until(lambda: [one for where in saved for one in folder.glob(where)] or apply.poll() is not None, "it saves", 400)
    second = next((host for host in there if beside(host)), None)
    victim = next(host for host in there[1:] if host is not second) if "--run" in sys.argv else second
    if victim and apply.poll() is None:
        steps = [one.name for where in saved for one in folder.glob(where)]
        victim.kill()
        print(f"killed {victim.name} after {time.monotonic() - began:.0f} s, with {steps}", flush=True)
        time.sleep(20)
        if "--store" in sys.argv:  # its disk is lost too
            shutil.rmtree(victim.data / "assets", ignore_errors=True)  # it may have fetched nothing
            (victim.data / "assets").mkdir()
        victim.boot()
        victim.start_ray(there[0])
    code = apply.wait(500)
    print((folder / "said").read_text())
    print(f"rc {code}, {time.monotonic() - began:.0f} s")
    log = next(path for where in (f"data/{LOG}", f"h*/data/{LOG}") for path in folder.glob(where))
    one, two = (pl.read_parquet(path) for path in (folder / "own" / LOG, log))
    apart = (one["loss"] - two["loss"]).abs().max()
    print(f"{one.height} and {two.height} steps, the losses apart by {apart:.1e} at most, {WITHIN:g} allowed")
    assert one["step"].equals(two["step"]) and float(str(apart)) <= WITHIN


def beside(host: Host) -> bool:
    """Whether a machine trains beside that of the run."""
    assert host.init
    space = os.readlink(f"/proc/{host.init.pid}/ns/net")
    for process in psutil.process_iter(["cmdline"]):
        with suppress(OSError, psutil.Error):
            ours = "am_assets.orchestration.together" in (process.info["cmdline"] or [])
            if ours and os.readlink(f"/proc/{process.pid}/ns/net") == space:
                return True
    return False


def done(command: object) -> None:
    assert command.returncode == 0, command.stdout + command.stderr  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
