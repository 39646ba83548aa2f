"""How a file tells which object of a store it is a copy of: by the nanoseconds of its time, and its size.

So nothing else has to be kept of it, and a copy that was edited, or written half, is no copy.
"""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from am_assets.storage.shared.objects import Held

SECOND = 1_000_000_000
TOUCH_SECONDS = 60.0  # how exactly the time of the last look is kept


def _nanoseconds(tag: str) -> int:
    """Of the time of a copy: never 0, which is that of files whose time has no nanoseconds."""
    return int(hashlib.sha256(tag.encode()).hexdigest()[:12], 16) % (SECOND - 1) + 1


def mark(path: Path, tag: str) -> None:
    now = time.time_ns() // SECOND * SECOND + _nanoseconds(tag)
    os.utime(path, ns=(now, now))


def looked_up(path: Path, held: Held) -> bool:
    """`is_copy`, whose time of access tells from then on when it was looked up last."""
    if not is_copy(path, held):
        return False
    with suppress(FileNotFoundError):
        found = path.stat()
        if time.time() - found.st_atime > TOUCH_SECONDS:
            os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))
    return True


def is_copy(path: Path, held: Held) -> bool:
    """Whether a file is a copy of that object."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return found.st_size == held.size and found.st_mtime_ns % SECOND == _nanoseconds(held.tag)
