"""The side of a user: join the server of a model, or start it.

A lease is a file that its process keeps locked while it lives, and touches while it asks; what holds on one machine.
A cluster that places servers has another, with the same three methods (`placing.py`).
"""

import atexit
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol, overload

from am_assets.engines.machine import machine_folder
from am_assets.engines.serving.servers import Server, ServerError
from am_assets.runtime.locks import lock
from am_assets.storage.atomic import write_whole

LOAD_SECONDS = 3600.0  # large weights on a slow disk; what does not start fails at once
POLL_SECONDS = 0.05
TOUCH_SECONDS = 1.0
KEEPERS = 3  # that may be killed while a server starts


class Address(NamedTuple):
    """Where a server answers, and the API key that it wants."""

    url: str
    key: str


class Wish(Protocol):
    """The wish of this process for one server."""

    def address(self, seconds: float = LOAD_SECONDS) -> Address: ...

    def touch(self) -> None: ...

    def release(self) -> None: ...


class Places(Protocol):
    """What places servers on other machines."""

    def lease(self, server: Server) -> Wish: ...


class Lease:
    """The wish for a server of this machine."""

    def __init__(self, server: Server):
        self.server = server
        self.folder = machine_folder() / "servers" / server.id
        (self.folder / "leases").mkdir(parents=True, exist_ok=True)
        self.holding = threading.Lock()
        self.keeper: subprocess.Popen[bytes] | None = None
        self._hold()

    def _hold(self) -> None:
        self.path = self.folder / "leases" / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.lease"
        aside = self.path.with_suffix(".aside")
        self.file = aside.open("w")
        fcntl.lockf(self.file, fcntl.LOCK_EX)  # not inherited by forks, unlike that of flock
        aside.rename(self.path)  # locked already when a keeper first sees it
        self.touched = time.monotonic()

    def address(self, seconds: float = LOAD_SECONDS) -> Address:
        """Where the server answers, once it does: starts it, or waits for it so long, as needed.

        `ServerError` where it does not start, with the end of its log and what to change.
        """
        for _ in range(KEEPERS):
            self._join()
            if found := self._answering(seconds):
                return found
        raise ServerError(f"{self.server.weights}: the process that keeps its server was killed {KEEPERS} times")

    def touch(self) -> None:
        """Show that the server is needed, again where it was released; due every few seconds while it is."""
        with self.holding:
            if time.monotonic() - self.touched <= TOUCH_SECONDS:
                return
            self.touched = time.monotonic()
            try:
                os.utime(self.path)
            except FileNotFoundError:
                self.file.close()
                self._hold()

    def release(self) -> None:
        """Need the server no longer: the last one to do so ends it."""
        with self.holding:
            self.path.unlink(missing_ok=True)
            self.file.close()
            self.touched = -TOUCH_SECONDS
        if self.keeper:
            self.keeper.poll()

    def _join(self) -> None:
        """Start a keeper where none lives."""
        with (self.folder / "lock").open("a") as joining:
            lock(joining, wait=True)
            self.touched = -TOUCH_SECONDS
            self.touch()
            while self._state().get("phase") == "failed" and self._keeper_lives():
                time.sleep(POLL_SECONDS)  # that one is about to end: the cause may be mended by now
            with (self.folder / "keeper.lock").open("a") as kept:
                if not lock(kept):
                    return
                (self.folder / "state.json").unlink(missing_ok=True)
                write_whole(self.folder / "server.json", json.dumps(asdict(self.server)))
                self.keeper = _start_keeper(self.folder, kept.fileno())

    def _answering(self, seconds: float) -> Address | None:
        """The address once the server answers; None where its keeper was killed before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.touch()
            lives = self._keeper_lives()
            state = self._state()
            if state.get("phase") == "ready" and lives:
                return Address(state["url"], state["key"])
            if state.get("phase") == "failed":
                raise ServerError(state["why"])
            if not lives:
                return None
            time.sleep(POLL_SECONDS)
        raise ServerError(f"{self.server.weights}: the model server does not answer after {seconds:g} seconds")

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def _keeper_lives(self) -> bool:
        if self.keeper:
            self.keeper.poll()  # so that the process table forgets one that ended
        with (self.folder / "keeper.lock").open("a") as kept:
            return not lock(kept, shared=True)


def _start_keeper(folder: Path, lock: int) -> subprocess.Popen[bytes]:
    """A keeper that inherits the descriptor `lock` and with it the lock."""
    with (folder / "keeper.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "am_assets.engines.serving.keeper", str(folder), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C is not meant for it
            cwd="/",
        )


_leases: dict[tuple[str, bool], Wish] = {}
_lock = threading.Lock()
os.register_at_fork(after_in_child=_leases.clear)


@overload
def lease(server: Server) -> Lease: ...


@overload
def lease(server: Server, places: Places | None) -> Wish: ...


def lease(server: Server, places: Places | None = None) -> Wish:
    """The lease of this process on a server of this machine, or one that is placed; it starts nothing yet."""
    name = server.id, places is None
    with _lock:
        if name not in _leases:
            _leases[name] = places.lease(server) if places else Lease(server)
        return _leases[name]


def release_all() -> None:
    """Give up every lease of this process, before work that needs the memory, and at its end."""
    with _lock:
        while _leases:
            _leases.popitem()[1].release()


atexit.register(release_all)
