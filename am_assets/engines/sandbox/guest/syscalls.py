"""A seccomp filter for cells: denies the system calls that no tested program needs.

Tracing and reading other processes, namespaces and mounts, keyrings, shared memory and queues that outlive a process,
and interfaces with a record of vulnerabilities. It is applied in addition to a container's own filter, and is the only
one with bubblewrap.
"""

import ctypes
import errno
import os
import struct
from functools import cache

# System call numbers by machine; from 424 on they are the same on all.
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "unshare": 272, "setns": 308,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "keyctl": 250, "add_key": 248,
        "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "shmget": 29, "shmat": 30,
        "semget": 64, "msgget": 68, "mq_open": 240, "init_module": 175, "finit_module": 313, "delete_module": 176,
        "kexec_load": 246, "kexec_file_load": 320, "open_by_handle_at": 304, "name_to_handle_at": 303,
        "swapon": 167, "reboot": 169, "personality": 135, "acct": 163, "quotactl": 179, "modify_ldt": 154,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "unshare": 97, "setns": 268,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "keyctl": 219, "add_key": 217,
        "request_key": 218, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "shmget": 194, "shmat": 196,
        "semget": 190, "msgget": 186, "mq_open": 180, "init_module": 105, "finit_module": 273, "delete_module": 106,
        "kexec_load": 104, "kexec_file_load": 294, "open_by_handle_at": 265, "name_to_handle_at": 264,
        "swapon": 224, "reboot": 142, "personality": 92, "acct": 89, "quotactl": 60,
    },
}  # fmt: skip
# pidfd_send_signal, io_uring_*, open_tree to fspick, pidfd_getfd, process_madvise, mount_setattr
EVERYWHERE = [424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442]
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags are in memory, which a filter can't read; libraries fall back to `clone`
FOREIGN_ABI = 0x40000000  # x86-64 has a second set of numbers (x32) from here on
NEW_NAMESPACE_FLAGS = 0x7E020000
ALLOW, KILL = 0x7FFF0000, 0x80000000
LOAD, EQUALS, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def refuse(reason: int) -> int:
    """The filter result that makes a system call fail with errno `reason`."""
    return 0x00050000 | reason


@cache
def program(machine: str) -> tuple[int, bytes]:
    """The BPF program: the number of instructions, and their encoding (code, jump if true, jump if false, operand)."""
    steps = [
        (LOAD, 0, 0, MACHINE),
        (EQUALS, 1, 0, ARCHITECTURE[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, FOREIGN_ABI),
        (RETURN, 0, 0, refuse(errno.EPERM)),
        (EQUALS, 0, 1, CLONE3),
        (RETURN, 0, 0, refuse(errno.ENOSYS)),
    ]
    for number in [*NUMBERS[machine].values(), *EVERYWHERE]:
        steps += [(EQUALS, 0, 1, number), (RETURN, 0, 0, refuse(errno.EPERM))]
    steps += [
        (EQUALS, 1, 0, CLONE[machine]),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (HAS_BITS, 0, 1, NEW_NAMESPACE_FLAGS),
        (RETURN, 0, 0, refuse(errno.EPERM)),
        (RETURN, 0, 0, ALLOW),
    ]
    return len(steps), b"".join(struct.pack("HBBI", *step) for step in steps)


def deny_syscalls(libc: ctypes.CDLL) -> None:
    """Install the filter for this process and its children. OSError where kernel or machine do not support it."""
    machine = os.uname().machine
    if machine not in NUMBERS:
        raise OSError(errno.ENOTSUP, f"no filter of system calls for {machine}")
    length, instructions = program(machine)
    code = ctypes.create_string_buffer(instructions)
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", length, ctypes.addressof(code)))
    set_seccomp, filter_mode = 22, 2
    given = (ctypes.c_ulong(value) for value in (filter_mode, ctypes.addressof(head), 0, 0))
    if libc.prctl(set_seccomp, *given):
        raise OSError(ctypes.get_errno(), "the kernel refuses a filter of system calls")
