"""The guard beside each run on a cluster: it starts the run, and ends it before anybody may start it elsewhere.

    python -m am_assets.orchestration.guard [--task] RUN COMMAND...

A machine that the network cut off is taken for dead, and its run is carried out again on another, while the first goes
on and would still record what it made. The guard ends the run once its supervisor is gone, its status is a last one, or
the database was silent for `GUARD_SECONDS`. Its lease, by which others see that the run lives, and those of what the
run claimed last longer. Where the guard itself is killed, the kernel kills the run.

A task that measures beside a run (`tasks.py`) has one too, which also ends it once the run is over, or the database did
not hear of the run's guard for `GUARD_SECONDS`.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from am_assets.config.cluster import FILE, load_cluster
from am_assets.config.files import ConfigError
from am_assets.storage.shared.database import GUARDED, DatabaseError, Session, open_database
from am_assets.storage.shared.leases import GUARD_SECONDS, Lease, code
from am_assets.storage.shared.snapshots import SNAPSHOT, unpack
from am_assets.storage.shared.versions import CONFIG_TAG, refusal

LOOK_SECONDS = 1.0
STOP_SECONDS = 10.0  # that a run has, once it is canceled, to wait for answers in flight
PR_SET_PDEATHSIG = 1
PLANNED_WITH = "AM_PLANNED_WITH"  # in the environment: the tags of `storage/shared/versions.py`
THREADS = "AM_THREADS"  # likewise: OMP_NUM_THREADS where the run was submitted, as Ray sets it to the CPUs of a job
STATUS = "select status from public.runs where run_id = %(run)s"
# of a run that a task belongs to: as long as its guard is known to live
HELPED = f"""{STATUS} and status in ('STARTING', 'STARTED') and exists (
    select from am_assets.leases where run = %(run)s
    and until > clock_timestamp() + (seconds - {GUARD_SECONDS}) * interval '1 s')"""
TASK = "--task"
LAST = {"FAILURE", "CANCELED", None}  # None: its record was removed


class Guard:
    """Watches one run, or a task of it: `why` says what ends it, once something does."""

    def __init__(self, run: str, task: bool = False):
        folder = Path(os.environ["AM_DATA"])
        self.run, self.task = run, task
        database = open_database(load_cluster(folder / FILE), folder / "memo")
        assert database is not None, f"{folder / FILE} is gone"
        self.supervisor = os.getppid()
        self.lease = Lease(database, None if task else run)
        self.status: str | None = "STARTING"
        threading.Thread(target=self._look, args=[database.session()], daemon=True).start()

    def _look(self, session: Session) -> None:
        """In a thread of its own, as a network that was cut off answers nothing, not even that it was."""
        while True:
            with suppress(DatabaseError):
                found = session.again(HELPED if self.task else STATUS, {"run": self.run})
                self.status = found[0] if found else None
            time.sleep(LOOK_SECONDS)

    def why(self) -> str | None:
        if os.getppid() != self.supervisor:
            return "its supervisor is gone"
        if self.status in LAST:
            if self.task:
                return "its run is over"
            return f"its status is {self.status}"
        if self.lease.silent() > GUARD_SECONDS:
            return f"the database was silent for {GUARD_SECONDS:.0f} s"
        return self.lease.lost()


def guarded(run: str, command: list[str], task: bool = False) -> int:
    """Carry out the command of a run, or of a task, with the config files that it was planned with; its exit code."""
    os.environ[GUARDED] = run  # here too: the database may be away now
    guard = Guard(run, task)
    with tempfile.TemporaryDirectory(prefix="am-snapshot-") as files:
        if refused := _refusal(Path(files)):
            print(f"guard: refused: {refused}", file=sys.stderr, flush=True)
            if not task:
                _fail(run, refused)
            guard.lease.end()
            return 1
        return _carried_out(run, command, guard, _environment() | {SNAPSHOT: files})


def _carried_out(run: str, command: list[str], guard: Guard, environment: dict[str, str]) -> int:
    libc = ctypes.CDLL(None)
    child = psutil.Popen(  # from the main thread, which outlives it
        command,
        env=environment,
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    canceled: float | None = None
    while child.poll() is None:
        time.sleep(0.2)
        if guard.status == "CANCELING" and canceled is None:
            canceled = time.monotonic()
            child.terminate()
        if why := guard.why():
            _end(child, why)
        elif canceled and time.monotonic() - canceled > STOP_SECONDS:
            _end(child, f"it was canceled {STOP_SECONDS:.0f} s ago")
    guard.lease.end()
    return max(child.returncode, 0) or int(child.returncode < 0)


def _end(run: psutil.Process, why: str) -> None:
    """Kill a run, and all that it started."""
    print(f"guard: ended, as {why}", file=sys.stderr, flush=True)
    with suppress(psutil.NoSuchProcess):
        run.suspend()  # so that it starts nothing more
        for process in [*run.children(recursive=True), run]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    with suppress(subprocess.TimeoutExpired, psutil.TimeoutExpired):
        run.wait(LOOK_SECONDS)


def _environment() -> dict[str, str]:
    """As on the machine that submitted the run, so that sums come out the same to the last bit."""
    threads = os.environ.get(THREADS)
    rest = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return rest | ({"OMP_NUM_THREADS": threads} if threads else {})


def _refusal(files: Path) -> str | None:
    """Why this machine may not carry out the run; None where it may, and has the config files of its plan in `files`"""
    wanted = json.loads(os.environ[PLANNED_WITH])
    if refused := refusal(socket.gethostname(), wanted, code()):
        return refused
    try:
        unpack(Path(os.environ["AM_DATA"]), wanted[CONFIG_TAG], files)
    except (ConfigError, OSError) as error:
        return f"{socket.gethostname()}: {error}"
    return None


def _fail(run: str, why: str) -> None:
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        if record := instance.get_run_by_id(run):
            instance.report_run_failed(record, why)


if __name__ == "__main__":
    task = sys.argv[1] == TASK
    run, *command = sys.argv[1 + task :]
    sys.exit(guarded(run, command, task))
