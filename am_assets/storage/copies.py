"""Where a folder's files are held: on this file system, or in a store of which the folder has copies.

Whatever writes or reads a file that machines share goes through `of(path)`. Without a store that is `Disk`, which
leaves files as they are; with one, `shared/copies.py`, which a project mounts.

    path = of(path).here(path)  # the file as it is now, if there is one
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from am_assets.runtime.locks import lock

ANY = "any"  # a tag: whatever is there


class Changed(Exception):
    """What was to be replaced is not what it was."""


class Keeper(Protocol):
    """What holds the files of a folder."""

    def here(self, path: Path) -> str | None:
        """Have `path` be the file as it is held now, or not be there; returns its tag, None where there is none."""

    def paths(self, folder: Path, suffix: str) -> list[Path]:
        """The files of a folder whose names end with `suffix`, sorted, as they are held now."""

    def names(self, folder: Path, suffix: str) -> list[str]:
        """The names of these files, without having them here."""

    def times(self, folder: Path, suffix: str) -> dict[str, float]:
        """When each of these files was written, in seconds since the epoch, by its name."""

    def folders(self, folder: Path) -> list[str]:
        """The names of the folders in a folder, sorted."""

    def keep(self, path: Path, aside: Path, over: str | None) -> None:
        """Hold the content of `aside` as the file `path`, before it is renamed to that; `Changed` where the tag of what
        is held is another than `over`."""

    def remove(self, paths: list[Path]) -> None:
        """Remove files, those that are gone among them."""

    def folder_here(self, folder: Path) -> None:
        """Have a folder that was published as a whole be as it is held now."""

    def keep_folder(self, folder: Path, aside: Path) -> None:
        """Hold the content of the folder `aside` as `folder`, before it is renamed to that."""

    def kept_folder(self, folder: Path) -> None:
        """Note that it was."""

    def bring(self, folder: Path, suffix: str = "") -> None:
        """Have all files within a folder be as they are held now, or those whose names end with `suffix`."""

    @contextmanager
    def alone(self, folder: Path, wait: bool) -> Iterator[bool]:
        """Lock a folder for the block; False where, without `wait`, another process holds the lock."""


class Disk:
    """Files as they are, on a file system that all who work on them see."""

    def here(self, path: Path) -> str | None:
        return ANY if path.exists() else None

    def paths(self, folder: Path, suffix: str) -> list[Path]:
        return sorted(path for path in _within(folder) if path.name.endswith(suffix))

    def names(self, folder: Path, suffix: str) -> list[str]:
        return [path.name for path in self.paths(folder, suffix)]

    def times(self, folder: Path, suffix: str) -> dict[str, float]:
        return {path.name: path.stat().st_mtime for path in self.paths(folder, suffix)}

    def folders(self, folder: Path) -> list[str]:
        return sorted(path.name for path in _within(folder) if path.is_dir())

    def keep(self, path: Path, aside: Path, over: str | None) -> None: ...

    def remove(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    def folder_here(self, folder: Path) -> None: ...

    def keep_folder(self, folder: Path, aside: Path) -> None: ...

    def kept_folder(self, folder: Path) -> None: ...

    def bring(self, folder: Path, suffix: str = "") -> None: ...

    @contextmanager
    def alone(self, folder: Path, wait: bool) -> Iterator[bool]:
        with (folder / ".merging").open("a") as file:
            yield lock(file, wait=wait)


def _within(folder: Path) -> Iterator[Path]:
    """What is in a folder, if it is there. Unlike `glob`, fails where it can't be read: that is no empty one."""
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from folder.iterdir()


DISK = Disk()
_mounted: dict[Path, Keeper] = {}


def mount(folder: Path, keeper: Keeper | None) -> None:
    """Have `keeper` hold the files within a folder; None: the file system."""
    if keeper is None:
        _mounted.pop(folder, None)
    else:
        _mounted[folder] = keeper


def of(path: Path) -> Keeper:
    """What holds the file or folder `path`."""
    return (
        next((keeper for folder, keeper in _mounted.items() if path.is_relative_to(folder)), DISK) if _mounted else DISK
    )
