"""The process that keeps one server on a machine of a cluster, as a job of Ray.

    python -m am_assets.engines.serving.placed SERVER JOB

It takes the row of its server in the database, if that still names its job, and has it say how the server is. It is
its own guard: it ends with the process of Ray above it, once the database was silent for `GUARD_SECONDS`, and once
another job was placed instead. Its lease lasts longer, so that whoever replaces it finds it gone. Where it is killed
itself, the kernel kills the server.
"""

import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from am_assets.config.cluster import FILE, load_cluster
from am_assets.engines.machine import address_here, machine_folder
from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.student import student_folder
from am_assets.engines.serving.keeper import IDLE_SECONDS, Keeper, Unused, end_marked, keeping
from am_assets.engines.serving.placing import FAIL, FAILED, STARTING
from am_assets.engines.serving.servers import Server, ServerError
from am_assets.runtime.locks import lock
from am_assets.storage.copies import of
from am_assets.storage.shared.database import GUARDED, Database, DatabaseError, open_database
from am_assets.storage.shared.leases import GUARD_SECONDS, Lease, code
from am_assets.storage.shared.versions import CODE_TAG, refusal

LOCK = ".lock"
LOOK_SECONDS = 1.0
RETRY_SECONDS = 1.0
TAKE = f"""update am_assets.servers set lease = %(lease)s, phase = '{STARTING}'
    where id = %(id)s and job = %(job)s returning server, code"""
TELL = """update am_assets.servers set phase = %(phase)s, url = %(url)s, key = %(key)s
    where id = %(id)s and job = %(job)s"""
WANTED = "select job, asked from am_assets.servers where id = %(id)s"
GIVE_UP = "delete from am_assets.servers where id = %(id)s and job = %(job)s and asked = %(asked)s returning job"


class PlacedKeeper(Keeper):
    """Keeps a server of the cluster; its row says how it is."""

    def __init__(self, folder: Path, server: Server, job: str, database: Database, lease: Lease):
        super().__init__(folder, server, address_here())
        self.names = {"id": server.id, "job": job}
        self.database, self.lease = database, lease
        self.session = database.session()
        self.supervisor = os.getppid()
        self.seen = job
        self.asked, self.asked_at = None, time.monotonic()  # by the database's clock, and when it changed by our own
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        """In a thread of its own, as a network that was cut off answers nothing."""
        session = self.database.session()
        while True:
            with suppress(DatabaseError):
                self.seen, asked = session.again(WANTED, self.names) or ("", None)
                if asked != self.asked:
                    self.asked, self.asked_at = asked, time.monotonic()
            time.sleep(LOOK_SECONDS)

    def refuse_unused(self) -> None:
        if why := self._over():
            print(f"ended, as {why}", file=sys.stderr, flush=True)
            raise Unused

    def _over(self) -> str | None:
        if os.getppid() != self.supervisor:
            return "its supervisor is gone"
        if self.lease.silent() > GUARD_SECONDS:
            return f"the database was silent for {GUARD_SECONDS:.0f} s"
        if lost := self.lease.lost():
            return lost
        if self.seen != self.names["job"]:
            return "another was placed instead"
        if time.monotonic() - self.asked_at > IDLE_SECONDS and self._given_up():
            return f"nobody asked for {IDLE_SECONDS:.0f} s"
        return None

    def _given_up(self) -> bool:
        """Whether the row could be removed before anybody asked again."""
        with suppress(DatabaseError):
            return self.session.again(GIVE_UP, self.names | {"asked": self.asked}) is not None
        return False

    def tell(self, phase: str, why: str = "") -> None:
        where = {"phase": phase, "url": self.url, "key": self.key}
        why = f"on {socket.gethostname()}: {why}"
        while True:
            try:
                self.session.again(FAIL if phase == FAILED else TELL, self.names | where | {"why": why})
                return
            except DatabaseError:
                self.refuse_unused()
                time.sleep(RETRY_SECONDS)

    def keep(self, gpus: list[str] | None) -> None:
        have_weights(self.server)
        super().keep(gpus)


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder of this machine for the files of a server, after those whose keeper was killed are removed, with the
    processes that are left of their servers. Locks lie beside the folders and stay, so that nobody can take a folder
    for left behind while its keeper begins."""
    folder = machine_folder() / "servers" / f"placed-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    for one in folder.parent.glob("placed-*/"):
        with one.with_suffix(LOCK).open("a") as file:
            if one != folder and lock(file):
                end_marked(one)
                shutil.rmtree(one, ignore_errors=True)
    with folder.with_suffix(LOCK).open("a") as file:
        lock(file, wait=True)
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def have_weights(server: Server) -> None:
    """Have the weights here: a checkpoint comes from the store, the bundled student from its package. `ServerError`
    where a path is not there."""
    path = Path(server.weights)
    if not path.is_absolute():
        return  # on the hub
    of(path).folder_here(path)
    if not path.exists():
        with suppress(OSError, RuntimeError):
            student_folder(BUNDLED, path.parent)
    if not path.exists():
        raise ServerError(
            f"{path}: it is not on this machine: servers are placed on any that has room, so put it there"
        )


def main(name: str, job: str) -> None:
    os.environ[GUARDED] = job  # the lease lasts as long as the database may be silent, and more
    data = Path(os.environ["AM_DATA"])
    database = open_database(load_cluster(data / FILE), data / "memo")
    assert database is not None, f"{data / FILE} is gone"
    lease = Lease(database)
    taken = database.session().again(TAKE, {"id": name, "job": job, "lease": lease.id})
    if taken:
        server, planned = Server(**json.loads(taken[0])), taken[1]
        with own_folder(name) as folder, suppress(Unused):
            keeper = PlacedKeeper(folder, server, job, database, lease)
            if refused := refusal(socket.gethostname(), {CODE_TAG: planned}, code()):
                keeper.tell(FAILED, refused)
            else:
                keeping(keeper)
    lease.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
