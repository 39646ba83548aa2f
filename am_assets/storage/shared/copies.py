"""Tables, memo, graphs and released folders of a project in an S3 store, and the copies of them that a machine has.

A file lies in the store under its path within the project, and is written there before it is seen here. A copy
tells which object it is of (`marks.py`), and is good until the store has another. A folder that is published as a whole
lies there as its files, by hash, and a list of them that is written last.
"""

import json
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from functools import partial
from pathlib import Path

from am_assets.config.cluster import FILE, Cluster
from am_assets.config.files import ConfigError
from am_assets.runtime.digests import file_sha256
from am_assets.storage.atomic import flush, folder_beside, publish_here
from am_assets.storage.copies import ANY, DISK, Changed
from am_assets.storage.shared.database import PROJECT, Database
from am_assets.storage.shared.marks import is_copy, looked_up, mark
from am_assets.storage.shared.objects import Held, Objects, StoreError, each
from am_assets.storage.shared.room import LIST, Room
from am_assets.storage.shared.snapshots import SNAPSHOTS
from am_assets.storage.shared.unsent import UNSENT, left, until_sent

SHARED = ("assets", "memo", "graphs")  # folders of a project
MOUNTED = (*SHARED, SNAPSHOTS)  # those of which a store has what counts
STORE = "STORE"  # a file in the folder of the memo: the store whose copies a machine has
BESIDE = (".aside", ".keys", UNSENT, LIST, ".arrow")  # what is being written, tells of copies, or is a machine's own
ATTEMPTS = 5  # at what others write meanwhile
LOCK = "select pg_{}advisory_lock(hashtextextended('am_assets files ' || %s, 0))"
LOCK_OPTIONS = "-c lock_timeout=600000"  # a merge takes its time


@dataclass
class Copies:
    """What keeps the folders of a project in a store. Nothing is asked of that before the first file is."""

    root: Path
    cluster: Cluster
    database: Callable[[], Database | None]
    moves: bool = False  # while `am cluster move` fills the store
    _objects: dict[int, Objects] = field(default_factory=dict)  # by process
    _opening: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        folders = [self.root / name for name in MOUNTED]
        self.room = Room(self.root, folders, self.cluster.cache_gb, lambda: self.objects)

    @property
    def objects(self) -> Objects:
        """The store. `ConfigError` where it is not fit, or not that of the copies here."""
        with self._opening:
            if os.getpid() not in self._objects:
                assert self.cluster.store is not None
                found = Objects(self.cluster.store, self.cluster.endpoint)
                found.refuse_unfit()
                self._refuse_others()
                self._objects[os.getpid()] = found
                try:
                    self._refuse_newer()
                except BaseException:
                    del self._objects[os.getpid()]
                    raise
            return self._objects[os.getpid()]

    def here(self, path: Path) -> str | None:
        self.room.uses(path)
        for _ in range(ATTEMPTS):
            held = self.objects.find(self._name(path))
            if held is None:
                path.unlink(missing_ok=True)
                return None
            with suppress(FileNotFoundError):  # written again meanwhile
                self._bring_one((path, held))
                return held.tag
        raise StoreError(f"{path}: others write it again and again: run it again")

    def paths(self, folder: Path, suffix: str) -> list[Path]:
        self._send_unsent(folder)
        before = {
            path for path in folder.glob(f"*{suffix}") if path.is_file()
        }  # first: what is written now is no remnant
        for _ in range(ATTEMPTS):
            objects, _ = self.objects.listed(self._name(folder))
            held = {folder / name: one for name, one in sorted(objects.items()) if name.endswith(suffix)}
            with suppress(FileNotFoundError):  # merged or written again meanwhile
                each(self._bring_one, [one for one in held.items() if not looked_up(*one)])
                for gone in before - held.keys():
                    gone.unlink(missing_ok=True)
                return [*held]
        raise StoreError(f"{folder}: others write it again and again: run it again")

    def names(self, folder: Path, suffix: str) -> list[str]:
        return sorted(name for name in self.objects.listed(self._name(folder))[0] if name.endswith(suffix))

    def times(self, folder: Path, suffix: str) -> dict[str, float]:
        held = self.objects.listed(self._name(folder))[0]
        return {name: one.written for name, one in held.items() if name.endswith(suffix)}

    def folders(self, folder: Path) -> list[str]:
        return self.objects.listed(self._name(folder))[1]

    def keep(self, path: Path, aside: Path, over: str | None) -> None:
        if over == ANY:
            with until_sent(path, aside) if self._is_segment(path) else nullcontext():
                tag: str | None = self.objects.put(self._name(path), aside)
        else:
            tag = self.objects.put_if(self._name(path), aside.read_bytes(), over)
        if tag is None:
            raise Changed(f"{path}: another process wrote it meanwhile")
        mark(aside, tag)

    def remove(self, paths: list[Path]) -> None:
        if paths:
            self.objects.remove(map(self._name, paths))
        DISK.remove(paths)

    def keep_folder(self, folder: Path, aside: Path) -> None:
        files = files_of(aside)
        parts = {sha256: aside / at for at, (sha256, _) in files.items()}
        name, tag = self._name(folder), None
        while tag is None:  # until no other machine publishes it meanwhile
            held = self.objects.find(name + LIST)
            there, _ = self.objects.listed(name)
            each(lambda sha256: self.objects.put(f"{name}/{sha256}", parts[sha256]), parts.keys() - there.keys())
            tag = self.objects.put_if(name + LIST, json.dumps(files).encode(), held.tag if held else None)
        if left := there.keys() - parts.keys():  # of what was there before, and of who was killed while it sent others
            self.objects.remove(f"{name}/{one}" for one in left)

    def kept_folder(self, folder: Path) -> None:
        self.here(_list(folder))

    def folder_here(self, folder: Path) -> None:
        self.room.uses(folder)
        file = _list(folder)
        for _ in range(ATTEMPTS):
            held = self.objects.find(self._name(file))
            if held is None or (folder.is_dir() and looked_up(file, held)):
                return
            with suppress(FileNotFoundError):  # published again meanwhile
                files = self._listed(self._name(file), held)
                with folder_beside(folder) as aside:
                    aside.chmod(0o755)
                    each(partial(self._bring_part, folder, aside), files.items())
                    publish_here(aside, folder)
                self._bring_one((file, held))
                return
        raise StoreError(f"{folder}: it is published again and again: run it again")

    def bring(self, folder: Path, suffix: str = "") -> None:
        below = self.objects.below(self._name(folder))
        lists = [name for name in below if name.endswith(LIST)]
        within = tuple(f"{name.removesuffix(LIST)}/" for name in lists)
        plain = [name for name in below if name.endswith(suffix) and not name.startswith(within) and name not in lists]
        each(self.here, [self.root / name for name in plain if not is_copy(self.root / name, below[name])])
        for name in () if suffix else lists:
            self.folder_here(self.root / name.removesuffix(LIST))

    @contextmanager
    def alone(self, folder: Path, wait: bool) -> Iterator[bool]:
        folder.mkdir(parents=True, exist_ok=True)
        database = self.database()
        assert database is not None
        with DISK.alone(folder, wait) as ours, closing(database.connection(LOCK_OPTIONS)) as session:
            if ours:
                with database.explained(), session.cursor() as cursor:
                    cursor.execute(LOCK.format("" if wait else "try_"), [self._name(folder)])
                    ours = cursor.fetchone()[0] is not False
            yield ours  # the end of the session frees it

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _listed(self, name: str, held: Held) -> dict[str, tuple[str, int]]:
        """Hash and size of the files of a folder, by path; `FileNotFoundError` where it was published again."""
        files: dict[str, tuple[str, int]] = json.loads(b"".join(self.objects.read(name, held)))
        return files

    def _is_segment(self, path: Path) -> bool:
        return path.parent.parent == self.root / "memo" and path.suffix == ".parquet"

    def _bring_one(self, file: tuple[Path, Held]) -> None:
        path, held = file
        if looked_up(path, held):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.aside")
        try:
            self._fetch(self._name(path), held, aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def _bring_part(self, before: Path, aside: Path, file: tuple[str, tuple[str, int]]) -> None:
        at, (sha256, size) = file
        (aside / at).parent.mkdir(parents=True, exist_ok=True)
        known = before / at
        if known.is_file() and known.stat().st_size == size and file_sha256(known) == sha256:
            shutil.copyfile(known, aside / at)
            return
        name = f"{self._name(before)}/{sha256}"
        held = self.objects.find(name)
        if held is None:
            raise FileNotFoundError(name)
        self._fetch(name, held, aside / at)

    def _fetch(self, name: str, held: Held, target: Path) -> None:
        self.room.make(held.size)
        try:
            with target.open("wb") as file:
                for part in self.objects.read(name, held):
                    file.write(part)
            flush(target)
        except OSError as error:
            if error.errno not in (ENOSPC, EDQUOT):
                raise
            raise OSError(
                f"{self.root / name}: {error.strerror} for a copy of {held.size / 1e6:,.1f} MB from the store: make"
                f" room, or set a smaller cache_gb in {FILE}, then run it again. Nothing is lost"
            ) from None
        mark(target, held.tag)
        self.room.taken(held.size)

    def _send_unsent(self, folder: Path) -> None:
        for path, beside in left(folder):
            self.objects.put(self._name(path), beside)

    def _refuse_others(self) -> None:
        """`ConfigError` where this folder has what is in no store, or copies of another."""
        file = self.root / "memo" / STORE
        wanted = named(self.cluster)
        if file.exists():
            if not self.moves and file.read_text() != wanted:
                raise ConfigError(
                    f"{FILE}: store: {file.parent.parent} has copies of {file.read_text().split()[0]}, and"
                    f" {self.cluster.store} is another: name that one, or remove assets and memo here. Nothing was"
                    " changed"
                )
            return
        if not self.moves:
            if any(stored_files(self.root)) or (file.parent / PROJECT).exists():
                raise ConfigError(
                    f"{FILE}: store: {self.root} has results that are in no store: `am cluster move` takes them to"
                    f" {self.cluster.store}. Nothing was changed"
                )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted)

    def _refuse_newer(self) -> None:
        from am_assets.storage.stored import FORM_FILE, refuse_newer

        if self.moves:
            return
        self.here(self.root / "assets" / FORM_FILE)
        refuse_newer(self.root / "assets")


def stored_files(root: Path) -> Iterator[Path]:
    """The files of a project that a store would hold, without what only counts while processes run."""
    for folder in SHARED:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            known = path.name in (STORE, PROJECT) or path.name.endswith(BESIDE) or "claims" in parts
            if not known and not any(part.startswith(".") for part in parts) and path.is_file():
                yield path


def _list(folder: Path) -> Path:
    return folder.with_name(folder.name + LIST)


def named(cluster: Cluster) -> str:
    """How a folder of copies names its store: address and endpoint, a line each."""
    return f"{cluster.store}\n{cluster.endpoint or ''}\n"


def files_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and size of the files within a folder, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (file_sha256(path), path.stat().st_size) for path in files}
