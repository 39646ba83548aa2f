"""Locks of files between processes (flock). The kernel drops the lock of a process that dies."""

import fcntl
from typing import IO, Any


def lock(file: int | IO[Any], *, wait: bool = False, shared: bool = False) -> bool:
    """Lock an open file or descriptor until it is closed; False where, without `wait`, another holds it. A `shared`
    lock keeps out exclusive ones alone."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
