"""Confinement of a cell: one process tree of a job, with its own identity, scratch folder and resource limits.

Two kinds, depending on the sandbox around it:

- user ids (container): each cell has a unique user id, under which its processes are killed and its files removed.
- namespaces (bubblewrap, which has one user id): each cell has new user, pid, mount and IPC namespaces, which vanish
  with its first process.

In both a cell has no capabilities, cannot gain privileges, and is behind a seccomp filter.
"""

import ctypes
import os
import resource
import signal

from am_assets.engines.sandbox.guest.syscalls import CLONE, deny_syscalls

NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x00020000 | 0x08000000  # CLONE_NEWUSER, NEWPID, NEWNS, NEWIPC
NOSUID_NODEV, NOEXEC = 2 | 4, 8
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 4, 23, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def checked(result: int) -> None:
    """Raise OSError for a C function that returned an error."""
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def prctl(option: int, value: int) -> int:
    return int(libc.prctl(option, value, 0, 0, 0))


KNOWN_CAPABILITIES = [number for number in range(64) if prctl(PR_CAPBSET_READ, number) >= 0]
OPEN_CAPABILITIES = [number for number in KNOWN_CAPABILITIES if prctl(PR_CAPBSET_READ, number)]  # in the bounding set


def fork_into_namespaces() -> int:
    """Like os.fork, but the child is the first process in new namespaces; it must call `map_itself`."""
    ctypes.pythonapi.PyOS_BeforeFork()
    process = int(libc.syscall(CLONE[os.uname().machine], NEW_NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0))
    if process:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        return process
    ctypes.pythonapi.PyOS_AfterFork_Child()
    return 0


def map_itself(user: int) -> None:
    """Map the user and group id of this process in its new user namespace."""
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{user} {user} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def mount(kind: bytes, target: bytes, flags: int, data: bytes) -> None:
    checked(libc.mount(kind, target, kind, ctypes.c_ulong(flags), data))


def own_mounts(scratch: str) -> None:
    """Mount a private /proc, /tmp and /dev/shm."""
    mount(b"proc", b"/proc", NOSUID_NODEV | NOEXEC, b"")
    for target in (b"/tmp", b"/dev/shm"):
        mount(b"tmpfs", target, NOSUID_NODEV, f"{scratch},mode=0700".encode())


def scratch_of(user: int) -> str:
    return f"/tmp/{user}"


def confine(user: int | None, rlimits: dict[str, int], scratch: str) -> None:
    """Irrevocably drop the privileges of this process. `user` is None where it has namespaces of its own."""
    if user is None:
        own_mounts(scratch)
    for capability in KNOWN_CAPABILITIES if user is None else OPEN_CAPABILITIES:  # new namespaces start with all
        checked(prctl(PR_CAPBSET_DROP, capability))
    for name, limit in rlimits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
    home = "/tmp"
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        home = scratch_of(user)
        os.mkdir(home, 0o700)
    os.chdir(home)
    os.environ.update(HOME=home, TMPDIR=home)
    no_capabilities()
    checked(prctl(PR_SET_NO_NEW_PRIVS, 1))
    deny_syscalls(libc)


def no_capabilities() -> None:
    version_3, data = 0x20080522, (ctypes.c_uint32 * 6)()
    checked(libc.capset((ctypes.c_uint32 * 2)(version_3, 0), data))


def kill_all_of(judge: int, candidate: int) -> None:
    """Kill every process of two user ids by one system call, so that none can fork meanwhile.

    An unprivileged process may signal those whose real or saved id is its own real or effective id. So root switches
    its ids for this call: it reaches both users and nobody else, and the candidate does not reach it.
    """
    os.setresuid(judge, candidate, 0)
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.setresuid(0, 0, 0)
