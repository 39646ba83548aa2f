"""The process that keeps one server: it starts it, starts it again when it dies, and ends it with its last user.

    python -m am_assets.engines.serving.keeper FOLDER LOCK

A process of its own, so that the server outlives the user who started it while others need it, and nobody when all were
killed. The kernel ends the server where the keeper itself is killed; the next user starts another keeper, which ends
what that server left behind. `LOCK` is the descriptor of `keeper.lock`, locked by who starts the keeper: the lock shows
whether a keeper lives.
"""

import ctypes
import fcntl
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from am_assets.engines.serving import devices
from am_assets.engines.serving.advice import advice, port_was_taken
from am_assets.engines.serving.servers import HOST, Server, ServerError
from am_assets.runtime.locks import lock
from am_assets.storage.atomic import write_whole

POLL_SECONDS = 0.1
IDLE_SECONDS = 60.0  # without a request of the processes that hold a lease, after which the server is ended
STOP_SECONDS = 5.0  # between SIGTERM and SIGKILL
STARTS = 5  # in a row that do not get as far as answering, once it has answered before
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 30.0
STEADY_SECONDS = 60.0  # of life, after which a death is the first again
LOG_LINES = 12
LOG_BYTES = 64_000_000
MARK = "AM_SERVER_OF"  # in the environment of a server and all its processes: the folder that it is kept by
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Unused(Exception):
    """Nobody needs the server any more."""


class Keeper:
    """Keeps a server, with its files in `folder`, where `state.json` says how it is."""

    def __init__(self, folder: Path, server: Server, host: str = HOST):
        self.folder, self.server, self.host = folder, server, host
        self.key = secrets.token_hex(24)
        self.port = free_port(host)
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        self.tell("starting")
        end_marked(self.folder)
        try:
            wanted = self.server.gpus
            if wanted and (fault := devices.too_few(wanted)):
                raise ServerError(f"serve.gpus: {fault}")
            with devices.claimed(wanted or 0, self.refuse_unused) as names:
                self.keep(None if wanted is None else names)
        except Unused:
            self.stop()
            (self.folder / "state.json").unlink(missing_ok=True)
        except (ServerError, OSError) as error:
            self.stop()
            self.tell("failed", str(error))

    def keep(self, gpus: list[str] | None) -> None:
        """Start the server again and again, until nobody needs it (`Unused`) or it does not start (`ServerError`)."""
        answered, starts, deaths = False, 0, 0
        while True:
            began, starts = time.monotonic(), starts + 1
            self.start(gpus)
            if self.until_healthy():
                answered, starts = True, 0
                self.tell("ready")
                self.while_alive()
            deaths = 1 if time.monotonic() - began > STEADY_SECONDS else deaths + 1
            code, log = self.stop(), self.log()
            if (not answered and not port_was_taken(log)) or starts == STARTS:
                raise ServerError(self.why(code, log))
            self.tell("restarting")
            self.port = free_port(self.host) if port_was_taken(log) else self.port
            self.pause(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(deaths - 1, 10)))

    def start(self, gpus: list[str] | None) -> None:
        command, environment = self.server.command(self.port, self.key, self.host)
        if gpus is not None:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
        with (self.folder / "log").open("wb"):
            pass  # a new one for each start
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=os.environ | environment | {MARK: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def until_healthy(self) -> bool:
        """Whether the server came to answer, before it ended."""
        while self.alive():
            if healthy(self.host, self.port, self.key):
                return True
            self.pause(POLL_SECONDS)
        return False

    def while_alive(self) -> None:
        while self.alive():
            self.pause(POLL_SECONDS)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pause(self, seconds: float) -> None:
        """Wait; `Unused` as soon as nobody needs the server."""
        until = time.monotonic() + seconds
        while True:
            self.refuse_unused()
            log = self.folder / "log"
            if log.exists() and log.stat().st_size > LOG_BYTES:
                os.truncate(log, 0)
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, POLL_SECONDS))

    def refuse_unused(self) -> None:
        """Raise `Unused` unless a living process needs the server. From then on nobody can join until this one ended:
        the lock of those who join is kept."""
        if used(self.folder):
            return
        joining = (self.folder / "lock").open("a")
        lock(joining, wait=True)
        if used(self.folder):  # by somebody who joined meanwhile
            joining.close()
            return
        self.joining = joining
        raise Unused

    def stop(self) -> int | None:
        """End the server with all its processes; the exit status of the first."""
        if self.process is None:
            return None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        end_marked(self.folder)
        code, self.process = self.process.returncode, None
        return code

    def log(self) -> str:
        with suppress(OSError):
            return (self.folder / "log").read_text(errors="replace")[-200_000:]
        return ""

    def why(self, code: int | None, log: str) -> str:
        tail = "\n".join([line for line in log.splitlines() if line.strip()][-LOG_LINES:])
        what = advice(log, code)
        said = f"the end of its log:\n{tail}" if tail else "it logged nothing"
        return (
            f"{self.server.weights}: the model server ({self.server.engine}) did not start"
            f"{f': {what}' if what else f', exit status {code}'}; {said}"
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def tell(self, phase: str, why: str = "") -> None:
        pid = self.process.pid if self.process else None
        state: dict[str, Any] = {"phase": phase, "why": why, "url": self.url, "key": self.key, "server": pid}
        write_whole(self.folder / "state.json", json.dumps(state | {"keeper": os.getpid()}))


def used(folder: Path) -> bool:
    """Whether a living process has used the server lately. Leases of dead processes are removed."""
    newest = 0.0
    for path in (folder / "leases").glob("*.lease"):
        with suppress(FileNotFoundError), path.open("r+b") as file:
            if _free(file):
                path.unlink(missing_ok=True)
            else:
                newest = max(newest, path.stat().st_mtime)
    return time.time() - newest < IDLE_SECONDS


def _free(file: Any) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def healthy(host: str, port: int, key: str) -> bool:
    """Whether the server answers at its health route."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def end_marked(folder: Path) -> None:
    """Kill what carries the mark of a server and is no longer, or never was, the child of a keeper."""
    for process in marked(folder):
        with suppress(psutil.Error):
            process.kill()


def marked(folder: Path) -> Iterator[psutil.Process]:
    """The processes of the server of `folder`; another TMPDIR may have a server of the same model."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(folder):
                yield process


def die_with_parent() -> None:
    """In a child: be killed when the keeper ends. Its only thread starts servers, so that the kernel's signal, which
    follows the thread, means the process."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent == 1:
        os._exit(1)


def end(*_: object) -> None:
    """SIGTERM ends a keeper as if nobody needed it."""
    raise Unused


def keeping(keeper: Keeper) -> None:
    """Be the process of a keeper, until nobody needs its server."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a server leaves behind becomes our child
    signal.signal(signal.SIGTERM, end)
    keeper.run()


def main() -> None:
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(lock, False)
    keeping(Keeper(folder, Server(**json.loads((folder / "server.json").read_text()))))


if __name__ == "__main__":
    main()
