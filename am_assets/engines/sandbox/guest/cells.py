"""Cells of the supervisor: started through the zygote, killed and cleaned up after each run.

A job that leaves something that can't be removed raises Unclean, which ends the whole sandbox.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from am_assets.engines.sandbox.guest import isolation, zygote

USERS = 400  # user ids, used in turn
SHARED_FOLDERS = ["/tmp", "/dev/shm", "/dev/mqueue"]  # the world-writable folders of a container
PATIENCE = 20  # seconds to wait for killed processes


class Unclean(Exception):
    """Processes or files of a job could not be removed."""


class Cell(NamedTuple):
    """A process tree of a job."""

    process: int
    user: int | None  # None: separated by namespaces


class Cells:
    """The zygote and the cells that it forks."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """`settings`: `first_user`, the first user id (None: namespaces); `nobody`; `scratch`, mount options;
        `packages` to import from and `headers` compiled in advance, folders or None; `commands`, folders of
        compilers and runtimes beside /usr/bin."""
        self.settings = settings
        self.turn = 0
        self.dead: dict[int, int] = {}  # exit codes of cells, negative for signals
        isolation.checked(isolation.prctl(isolation.PR_SET_CHILD_SUBREAPER, 1))
        self.zygote, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)
            os.closerange(0, end.fileno())
            zygote.main(end, settings)
        end.close()
        isolation.checked(isolation.prctl(isolation.PR_SET_DUMPABLE, 0))

    def start(self, role: str, descriptors: list[int], rlimits: dict[str, int]) -> Cell:
        """Start a `judge` or a `candidate` with these descriptors (`zygote.become`). Raises Unclean."""
        user = None
        if self.settings["first_user"] is not None:
            self.turn = self.turn % USERS + 1
            user = self.settings["first_user"] + self.turn
        order = {**self.settings, "role": role, "user": user, "rlimits": rlimits}
        socket.send_fds(self.zygote, [json.dumps(order).encode()], descriptors)
        if not (process := json.loads(self.zygote.recv(32) or b"0")):
            raise Unclean("no cell could be started")
        return Cell(process, user)

    def ended(self, cell: Cell, wait: bool = False) -> int | None:
        """The exit code, negative for a signal; None while it runs. `wait` blocks, for a cell that was killed."""
        if cell.process not in self.dead:  # a child of the zygote
            self.zygote.send(json.dumps({"ended": cell.process, "wait": wait}).encode())
            if (code := json.loads(self.zygote.recv(32))) is not None:
                self.dead[cell.process] = code
        return self.dead.get(cell.process)

    def clear(self, judge: Cell, candidate: Cell) -> None:
        """Kill every process of the two cells and remove their files. Raises Unclean."""
        if judge.user is None or candidate.user is None:
            for cell in (judge, candidate):
                if self.ended(cell) is None:
                    os.kill(cell.process, signal.SIGKILL)
        else:
            isolation.kill_all_of(judge.user, candidate.user)
        for cell in (judge, candidate):
            self.ended(cell, wait=True)
        self.until(lambda: not self.alive({judge.user, candidate.user}))
        if judge.user is not None and candidate.user is not None:
            sweep(judge.user, candidate.user)
        self.dead.clear()

    def alive(self, users: set[int | None]) -> bool:
        """Whether any process of these users runs; namespaces end with their first process."""
        with suppress(ChildProcessError):  # reaps orphans of the cells
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        for name in os.listdir("/proc") if users != {None} else []:
            with suppress(OSError):
                if name.isdigit() and os.stat(f"/proc/{name}").st_uid in users:
                    return True
        return False

    def until(self, condition: Callable[[], bool]) -> None:
        """Poll `condition`; Unclean after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise Unclean("something does not end")
            time.sleep(0.0002)


def sweep(*users: int) -> None:
    """Remove the files of these users. Raises Unclean."""
    for user in users:
        with suppress(OSError):
            os.rmdir(isolation.scratch_of(user))  # usually empty
    if not (left := left_by(*users)):
        return
    for user in users:
        if (process := os.fork()) == 0:
            try:
                remove(user, [path for path, owner in left if owner == user])
            finally:
                os._exit(0)
        os.waitpid(process, 0)
    if left_by(*users):
        raise Unclean("files that can not be removed")


def left_by(*users: int) -> list[tuple[str, int]]:
    """Path and owner of the entries of the shared folders that belong to these users."""
    left = []
    for folder in SHARED_FOLDERS:
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            owners = [(entry.path, entry.stat(follow_symlinks=False).st_uid) for entry in entries]
            left += [(path, owner) for path, owner in owners if owner in users]
    return left


def remove(user: int, paths: list[str]) -> None:
    """Remove `paths` as their owner; folders by chmod and rm, which handle any depth."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    folders = []
    for path in paths:
        try:
            os.unlink(path)
        except OSError:
            folders.append(path)
    for start in range(0, len(folders), 100):
        some = folders[start : start + 100]
        os.spawnv(os.P_WAIT, "/usr/bin/chmod", ["chmod", "-R", "u+rwX", "--", *some])
        os.spawnv(os.P_WAIT, "/usr/bin/rm", ["rm", "-rf", "--", *some])
