"""Machines of a Ray cluster as namespaces of this one: network, mounts, processes and names, each with a disk of its
own. Needs root.

with bridged():
    host = Host(0, folder)
    host.boot()
    host.start_ray(head=host)
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

import psutil

from am_assets.engines.ray_head import machines, silence
from am_assets_tests.server import Postgres, programs
from am_assets_tests.services import ROOT, until

NET = "10.78.19"
BRIDGE, GATE = "amfaults", f"{NET}.254"  # where what all share listens
OWN = ("data", "tmp", "ray")  # folders that each machine has for itself, at the same path
RAY = ("ray.scripts.scripts", "start", "--block", "--disable-usage-stats")
ROOMY = ("--object-store-memory", "100000000")
OF_HEAD = ("gcs_server", "raylet")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def bridged() -> Iterator[None]:
    ip("link", "add", BRIDGE, "type", "bridge")
    through = ["FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT"]  # a Docker may drop what no rule of its own lets
    filtered = which("iptables") is not None
    try:
        if filtered:
            subprocess.run(["iptables", "-I", *through], check=True)
        ip("addr", "add", f"{GATE}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        yield
    finally:
        ip("link", "del", BRIDGE)
        if filtered:
            subprocess.run(["iptables", "-D", *through], check=False)


@contextmanager
def postgres_between() -> Iterator[Postgres]:
    """A server on the bridge, with a disk of its own."""
    with tempfile.TemporaryDirectory(prefix="am-pg-", dir="/tmp") as apart:
        postgres = Postgres(Path(apart), programs(), GATE)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop("immediate")


def await_ray(head: str, count: int) -> None:
    """Until Ray's head answers, and has so many machines."""
    until(lambda: silence(head) is None, "Ray answers", 240, 1)
    until(lambda: len(machines(head)) == count, "all machines are there", 240, 2)


class Host:
    """One machine. What is in `folder/NAME` is its disk; it sees that at `folder`, and all else as it is."""

    def __init__(self, number: int, folder: Path):
        self.name, self.address, self.folder = f"h{number}", f"{NET}.{10 + number}", folder
        self.link, self.space = f"amfaults{number}", f"amfaults-{number}"
        self.disk = folder / self.name
        self.data = self.disk / "data"
        self.init: psutil.Process | None = None
        self.whole = True
        for name in OWN:
            (self.disk / name).mkdir(parents=True, exist_ok=True)
            (folder / name).mkdir(exist_ok=True)
        ip("netns", "add", self.space)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", self.link, "master", BRIDGE, "up")
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            ip("-n", self.space, "link", "set", device, "up")

    def boot(self) -> None:
        binds = [f"mount --bind {self.disk / name} {self.folder / name}" for name in OWN]
        (up := self.disk / "up").unlink(missing_ok=True)
        own = [*binds, "mount -t tmpfs -o size=1g tmpfs /dev/shm", f"touch {up}", "sleep infinity & wait"]
        script = "; ".join([f"hostname {self.name}", "mount --make-rprivate /", *own])
        apart = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"]
        command = ["ip", "netns", "exec", self.space, "unshare", *apart, "bash", "-c", script]
        outer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        until(up.exists, f"{self.name} is up", 30)
        self.init = psutil.Process(outer.pid).children()[0]

    def command(self, *command: str) -> list[str]:
        assert self.init is not None
        return ["nsenter", "-t", str(self.init.pid), "-m", "-u", "-i", "-n", "-p", "--", *command]

    def environment(self) -> dict[str, str]:
        own = {"AM_DATA": str(self.folder / "data"), "DAGSTER_HOME": str(self.folder / "data" / "instance")}
        rest = {"TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        return {**os.environ, **own, **rest}

    def am(self, *arguments: str) -> subprocess.Popen[str]:
        command = self.command(sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments)
        out, both = subprocess.PIPE, subprocess.STDOUT
        return subprocess.Popen(
            command, env=self.environment(), stdout=out, stderr=both, text=True, start_new_session=True
        )

    def start_ray(self, head: "Host", cpus: int = 1) -> None:
        """Ray, started again whenever it ends, as by the machine's services."""
        at = ["--head", "--port", "6379", "--dashboard-host", "0.0.0.0"]
        joins = at if head is self else ["--address", f"{head.address}:6379"]
        rest = ["--num-cpus", str(cpus), "--node-ip-address", self.address, "--temp-dir", str(self.folder / "ray")]
        one = " ".join([sys.executable, "-m", *RAY, *ROOMY, *joins, *rest])
        with (self.disk / "ray.log").open("a") as log:
            loop = self.command("bash", "-c", f"while :; do {one}; sleep 2; done")
            subprocess.Popen(loop, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill_ray(self) -> None:
        """`kill -9` of Ray's own processes; what it carries out notices by itself."""
        for process in psutil.process_iter(["name", "cmdline"]):
            command = process.info["cmdline"] or []
            ours = any(self.address in part for part in command)
            if ours and (process.info["name"] in OF_HEAD or "--head" in command):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def cut(self) -> None:
        ip("link", "set", self.link, "down")
        self.whole = False

    def mend(self) -> None:
        ip("link", "set", self.link, "up")
        self.whole = True

    def kill(self) -> None:
        """As a loss of power: all that ran here is gone at once."""
        if self.init is not None:
            outer = self.init.parent()
            with suppress(psutil.NoSuchProcess):
                self.init.send_signal(signal.SIGKILL)
            if outer is not None:
                psutil.wait_procs([outer], timeout=30)
            self.init = None

    def remove(self) -> None:
        self.kill()
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", self.link)
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", self.space)
