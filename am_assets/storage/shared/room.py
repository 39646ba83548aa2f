"""The room that copies of a store take on a machine: those read longest ago make room for others, and are fetched again
when they are needed.

Only what the store has as it is here is removed. A table or folder that a living process looked up stays, as that may
read it at any time; a segment of the memo for `RECENT_SECONDS`, as its readers look again where it is gone.
"""

import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from am_assets.runtime.locks import lock
from am_assets.storage.atomic import locked
from am_assets.storage.shared.marks import is_copy
from am_assets.storage.shared.objects import Held, Objects, StoreError

READING = ".reading"  # in the folder of the memo: what each living process looked up, a file a process
RECENT_SECONDS = 600.0
RESERVE_BYTES = 1_000_000_000  # of the disk that copies leave free
PART = 0.05  # of the limit: what is fetched between two looks at it
FUTILE_SECONDS = 60.0  # between two looks where nothing could be removed
LIST = ".files"  # the list of a folder that was published as a whole


@dataclass(frozen=True)
class Unit:
    """A copy: a file, or a folder that was published as a whole."""

    path: Path
    size: int
    read: float
    folder: bool


@dataclass
class Reader:
    """What a process looked up so far. Others see by the lock of the file whether it lives."""

    file: IO[str]
    seen: set[Path] = field(default_factory=set)


@dataclass
class Room:
    root: Path
    folders: Sequence[Path]
    limit_gb: float | None
    objects: Callable[[], Objects]
    _readers: dict[int, Reader] = field(default_factory=dict)  # by process
    _fetched: int = 0  # bytes since the last look at the limit
    _next: float = 0.0  # when a look may be worth it
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def uses(self, path: Path) -> None:
        """Have a file or folder stay as long as this process lives."""
        with self._guard:
            reader = self._readers.get(os.getpid())
            if reader is None or path not in reader.seen:
                self._reading.mkdir(parents=True, exist_ok=True)
                with locked(self._reading):
                    reader = reader or self._reader()
                    reader.file.write(f"{path}\n")
                    reader.file.flush()
                reader.seen.add(path)

    def make(self, size: int) -> None:
        """Have the disk keep its reserve after as many bytes were fetched, if copies can be removed."""
        if (short := size + RESERVE_BYTES - shutil.disk_usage(self.root).free) > 0:
            self._remove(lambda _: short)

    def taken(self, size: int) -> None:
        """Note that as many bytes were fetched; copies beyond the limit are removed."""
        if self.limit_gb is None:
            return
        limit = self.limit_gb * 1e9
        with self._guard:
            self._fetched += size
            if self._fetched < PART * limit:
                return
            self._fetched = 0
        self._remove(lambda total: total - limit)

    @property
    def _reading(self) -> Path:
        return self.root / "memo" / READING

    def _reader(self) -> Reader:
        self._used()
        file = (self._reading / uuid.uuid4().hex).open("w")
        lock(file)
        return self._readers.setdefault(os.getpid(), Reader(file))

    def _remove(self, short: Callable[[int], float]) -> None:
        """Remove what was read longest ago until as many bytes are free as `short` says of the total."""
        with self._guard:
            if time.monotonic() < self._next:
                return
            units = sorted(self._units(), key=lambda unit: unit.read)
            left = short(sum(unit.size for unit in units))
            before = time.time() - RECENT_SECONDS
            old = [unit for unit in units if unit.read < before]
            removed = 0
            if left > 0 and old:
                with suppress(StoreError):
                    below = [self.objects().below(self._name(folder)) for folder in self.folders]
                    held = {name: one for objects in below for name, one in objects.items()}
                    with locked(self._reading):
                        removed = self._removed(old, held, left)
            if left > 0 and not removed:
                self._next = time.monotonic() + FUTILE_SECONDS

    def _removed(self, units: list[Unit], held: dict[str, Held], bytes_: float) -> int:
        used, removed = self._used(), 0
        for unit in units:
            if removed >= bytes_:
                break
            if unit.path not in used and self._is_stored(unit, held):
                if unit.folder:
                    _list(unit.path).unlink()  # first: a folder without it is fetched anew
                    shutil.rmtree(unit.path, ignore_errors=True)
                else:
                    unit.path.unlink(missing_ok=True)
                removed += unit.size
        return removed

    def _used(self) -> set[Path]:
        """What living processes looked up; what the dead left is removed."""
        used: set[Path] = set()
        for path in self._reading.iterdir():
            with path.open() as file:
                if lock(file):  # not of this process either, which holds its own
                    path.unlink()
                else:
                    used |= {Path(line) for line in file.read().splitlines()}
        return used

    def _is_stored(self, unit: Unit, held: dict[str, Held]) -> bool:
        file = _list(unit.path) if unit.folder else unit.path
        one = held.get(self._name(file))
        if one is None or not is_copy(file, one):
            return False
        return not unit.folder or _unchanged(unit.path, file.stat().st_mtime)

    def _units(self) -> Iterator[Unit]:
        for base in self.folders:
            for at, names, files in os.walk(base):
                folder = Path(at)
                published = [name for name in names if f"{name}{LIST}" in files]
                names[:] = [name for name in names if name not in published and not name.startswith(".")]
                for name in published:
                    with suppress(FileNotFoundError):
                        size = sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
                        yield Unit(folder / name, size, (folder / f"{name}{LIST}").stat().st_atime, True)
                for name in files:
                    if not name.startswith(".") and not name.endswith(LIST):
                        with suppress(FileNotFoundError):
                            found = (folder / name).stat()
                            yield Unit(folder / name, found.st_size, found.st_atime, False)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _list(folder: Path) -> Path:
    return folder.with_name(folder.name + LIST)


def _unchanged(folder: Path, since: float) -> bool:
    """Whether nothing in a folder was written after its list was fetched, to the second that this is known by."""
    return all(path.stat().st_mtime <= since + 2 for path in [folder, *folder.rglob("*")])
