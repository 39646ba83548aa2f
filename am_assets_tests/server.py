"""A Postgres server in a folder, under a user of its own where the tests are root's: it refuses to be root's."""

import os
import shutil
import socket
import subprocess
from pathlib import Path


def programs() -> Path | None:
    """The folder of the newest server of Debian's packages, else of that on the path."""
    found = shutil.which("initdb")
    packaged = [*Path("/usr/lib/postgresql").glob("*/bin")]
    if packaged:
        return max(packaged, key=lambda path: float(path.parent.name))
    return Path(found).resolve().parent if found else None


class Postgres:
    """Started, stopped and killed as an administrator or a failure would."""

    def __init__(self, folder: Path, programs: Path, host: str = "127.0.0.1"):
        self.folder = folder
        self.programs = programs
        self.host = host
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = probe.getsockname()[1]
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        self._as_server("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "am", "--no-sync")
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {host}/24 trust\n")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={self.host} -c fsync=off"  # for a killed server
        log = str(self.folder / "log")
        self._as_server("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate`: as after a crash."""
        self._as_server("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def run(self, program: str, *arguments: str) -> str:
        command = [str(self.programs / program), "-h", self.host, "-p", str(self.port), "-U", "am", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _as_server(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*user, str(self.programs / program), *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
