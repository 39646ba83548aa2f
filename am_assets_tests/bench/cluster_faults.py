"""A cluster of three machines with Ray, Postgres and an S3 store, whose parts are killed, cut off and slowed at random
moments: does an apply end, are its bytes those of one machine, is anything asked twice?

    python -m am_assets_tests.bench.cluster_faults [FAULTS] [SEED]

Machines are namespaces (`cluster/hosts.py`), services are real and on the bridge between them; teacher, labeler and
judge are those of `counted.py`. Made is all from the pool to the release and the report; nothing is trained. After each
fault the apply is begun again where a user would. Without faults nothing may be asked twice. Needs root.
"""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from am_assets.engines.ray_head import silence
from am_assets_tests.bench.cluster_laws import BUDGET_USD, SELECT, Laws, Seen, small_cluster
from am_assets_tests.cluster.hosts import GATE, Host, bridged, postgres_between
from am_assets_tests.cluster.relay import Relay
from am_assets_tests.counted import Models
from am_assets_tests.services import am, until
from am_assets_tests.weed import KEYS, Weed

HOSTS = 3  # the first has Ray's head, and is where `am apply` is typed
KINDS = ("run", "host", "apply", "head", "store", "postgres", "cut 10", "cut 40", "cut 120", "slow 45", "refuse 15")
PAUSE = (8.0, 35.0)  # seconds between a fault's end and the next, shortest and longest
ENDS_WITHIN = 1500.0  # seconds after the last fault
GOES_ON = (": on h", ": done in")  # in a line of an apply that shows work


@dataclass
class Fault:
    kind: str
    what: str
    began: float
    ended: float = 0.0
    told: list[str] = field(default_factory=list)  # what applies said that ended
    goes_on: float | None = None  # seconds after its end until a line shows work again


class Typed:
    """`am apply` as one types it on a machine, and again where it ended before all was done."""

    def __init__(self, host: Host):
        self.host = host
        self.lines: list[tuple[float, str]] = []
        self.begins, self.killed = 0, False

    def begin(self) -> None:
        self.process = self.host.am("apply", "-r", "plain", "-s", SELECT, "--budget", str(BUDGET_USD))
        self.begins, self.killed = self.begins + 1, False
        threading.Thread(target=self._read, args=[self.process], daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.lines.append((time.monotonic(), line.rstrip()))
            print(f"    {time.strftime('%X')} {line.rstrip()}", flush=True)

    def tend(self) -> bool:
        """Begin again what ended before all was done, if its machine is up; whether all is done."""
        if self.killed or self.process.poll() is not None:
            if not self.killed and self.process.returncode == 0:
                return True
            if self.host.init is not None:
                time.sleep(2)
                self.begin()
        return False

    def kill(self) -> None:
        """`kill -9` of itself alone."""
        for process in psutil.Process(self.process.pid).children():  # of nsenter
            process.kill()
        self.process.wait()
        self.killed = True


class Trial:
    def __init__(self, folder: Path, draw: random.Random):
        self.folder, self.draw = folder, draw
        self.faults: list[Fault] = []
        self.seen = Seen(folder)

    @contextmanager
    def up(self) -> Iterator[None]:
        """Services and machines."""
        with ExitStack() as stack:
            stack.enter_context(bridged())
            self.postgres = stack.enter_context(postgres_between())
            self.postgres.run("createdb", "faults")
            (self.folder / "weed").mkdir()
            self.weed = Weed(self.folder / "weed")
            stack.callback(self.weed.kill)
            self.weed.start()
            self.store = Relay(int(self.weed.endpoint.rpartition(":")[2]), GATE)
            self.models = Models()
            reach = {name: Relay(server.port, GATE).port for name, server in self.models.servers.items()}
            reached = {name: f"http://{GATE}:{port}/v1" for name, port in reach.items()}
            address = f"postgresql+psycopg2://am@{GATE}:{self.postgres.port}/faults"
            os.environ.update(KEYS | {"AM_DATABASE_URL": address, "TEST_MODEL_KEY": "none"})
            os.environ |= {"OMP_NUM_THREADS": "1", "DOCKER_HOST": "unix:///nowhere"}  # so no container of this machine
            self.hosts = []
            for number in range(HOSTS):
                self.hosts.append(host := Host(number, self.folder))
                stack.callback(host.remove)
            head = f"http://{self.hosts[0].address}:8265"
            self.project = small_cluster(self.hosts, self.models, reached, f"http://{GATE}:{self.store.port}", head)
            for host in self.hosts:
                self.boot(host)
            stack.enter_context(self.seen.looking())
            yield

    def boot(self, host: Host) -> None:
        host.boot()
        host.start_ray(self.hosts[0])

    def disturbed(self, count: int) -> None:
        """An apply with so many faults, to its end; where it ends before, more questions come."""
        typed = Typed(self.hosts[0])
        until(lambda: silence(f"http://{self.hosts[0].address}:8265") is None, "Ray answers", 240, 1)
        typed.begin()
        kinds = [kind for _ in range(0, count, len(KINDS)) for kind in self.draw.sample(KINDS, len(KINDS))][:count]
        for kind in kinds:
            end = time.monotonic() + self.draw.uniform(*PAUSE)
            while time.monotonic() < end:
                if typed.tend():
                    print("  all is done: more questions come", flush=True)
                    self.project.grow(self.hosts)
                    typed.begin()
                time.sleep(0.5)
            self.strike(kind, typed)
        until(typed.tend, "the apply ends", ENDS_WITHIN, 0.5)
        self._note(typed)
        self.begins = typed.begins

    def strike(self, kind: str, typed: Typed) -> None:
        self._note(typed)
        name, _, seconds = kind.partition(" ")
        if name == "run":
            until(lambda: self.seen.now() or typed.tend(), "a run to kill", 300, 0.2)
        fault = Fault(kind, "", time.monotonic())
        self.faults.append(fault)
        fault.what, mend = getattr(self, f"_{name}")(typed)
        print(f"fault {len(self.faults)} at {time.strftime('%X')}: {kind}{fault.what}", flush=True)
        end = time.monotonic() + (float(seconds) if seconds else self.draw.uniform(2, 15) if mend else 0)
        while time.monotonic() < end:
            typed.tend()
            time.sleep(0.5)
        if mend:
            mend()
        fault.ended = time.monotonic()
        print(f"  over after {fault.ended - fault.began:.0f} s", flush=True)

    def _run(self, _: Typed) -> tuple[str, None]:
        runs = self.seen.now()
        if not runs:
            return ": none was there", None
        process = self.draw.choice(runs)
        with suppress(psutil.NoSuchProcess):
            process.kill()
        return f" of process {process.pid}", None

    def _host(self, typed: Typed) -> tuple[str, Callable[[], None]]:
        host = self.draw.choice(self.hosts)
        host.kill()
        typed.killed |= host is typed.host
        return f" {host.name}", lambda: self.boot(host)

    def _apply(self, typed: Typed) -> tuple[str, None]:
        typed.kill()
        return "", None

    def _head(self, _: Typed) -> tuple[str, None]:
        self.hosts[0].kill_ray()
        return "", None

    def _store(self, _: Typed) -> tuple[str, Callable[[], None]]:
        self.weed.kill()
        return "", self.weed.start

    def _postgres(self, _: Typed) -> tuple[str, Callable[[], None]]:
        self.postgres.stop("immediate")
        return "", self.postgres.start

    def _cut(self, _: Typed) -> tuple[str, Callable[[], None]]:
        host = self.draw.choice(self.hosts)
        host.cut()
        return f" s: {host.name}", host.mend

    def _slow(self, _: Typed) -> tuple[str, Callable[[], None]]:
        self.store.delay = 0.03
        return " s", lambda: setattr(self.store, "delay", 0.0)

    def _refuse(self, _: Typed) -> tuple[str, Callable[[], None]]:
        self.store.refuse()
        return " s", lambda: setattr(self.store, "refuses", False)

    def _note(self, typed: Typed) -> None:
        """What was said since the last fault."""
        if self.faults:
            last = self.faults[-1]
            said = [(at, line) for at, line in typed.lines if at > last.began]
            works = [at for at, line in said if at > last.ended and any(sign in line for sign in GOES_ON)]
            last.goes_on = works[0] - last.ended if works else None
            signs = ("error", "waiting", "lost", "gone", "left to go on", "again", "away", "failed")
            last.told = [line for _, line in said if any(sign in line.lower() for sign in signs)]


def main() -> None:
    count, seed = [*map(int, sys.argv[1:]), *[30, 1][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory(prefix="am-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        trial = Trial(folder, random.Random(seed))
        with trial.up():
            began = time.monotonic()
            trial.disturbed(count)
            seconds = time.monotonic() - began
            print(f"done after {seconds:.0f} s; begun {trial.begins} times", flush=True)
            trial.seen.stop = True
            for host in trial.hosts:
                host.kill()
            laws = Laws(trial.project, trial.models, trial.postgres, trial.seen, trial.faults)
            laws.compare(am)
        print(f"\n{'fault':<12}{'on':<22}{'lasted s':>9}{'went on after s':>17}  said")
        for fault in trial.faults:
            on = "-" if fault.goes_on is None else f"{fault.goes_on:.0f}"
            told = fault.told[0].strip()[:100] if fault.told else ""
            print(f"{fault.kind:<12}{fault.what:<22}{fault.ended - fault.began:>9.0f}{on:>17}  {told}")
        broken = laws.table()
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
