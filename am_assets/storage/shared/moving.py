"""Tables, memo, graphs and released folders of a project, taken to a store and back.

Either way begins anew where it was interrupted, and leaves what it takes from as it was: what the store has is read
again and compared before the folder counts as copies of it.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from am_assets.config.cluster import FILE, Cluster
from am_assets.config.files import ConfigError
from am_assets.runtime.digests import file_sha256
from am_assets.storage.shared.copies import SHARED, STORE, Copies, files_of, named, stored_files
from am_assets.storage.shared.database import PROJECT
from am_assets.storage.shared.marks import mark
from am_assets.storage.shared.objects import Held, StoreError, each
from am_assets.storage.shared.room import LIST
from am_assets.storage.shared.unsent import UNSENT
from am_assets.storage.stored import refuse_newer


def fill(root: Path, cluster: Cluster) -> int:
    """Take what is in the folder of a project to the store that `cluster` names; how many files. `ConfigError` where
    that has another project."""
    keeper = Copies(root, cluster, lambda: None, moves=True)
    project = root / "memo" / PROJECT
    if held := keeper.objects.find(f"memo/{PROJECT}"):
        there = b"".join(keeper.objects.read(f"memo/{PROJECT}", held)).decode()
        if not project.exists() or project.read_text() != there:
            raise ConfigError(
                f"{FILE}: store: {cluster.store} has another project: name a prefix of its own. Nothing was changed"
            )
    folders = [*_folders(root)]
    plain = [path for path in stored_files(root) if not any(path.is_relative_to(folder) for folder in folders)]
    below = {name: one for folder in SHARED for name, one in keeper.objects.below(folder).items()}
    each(lambda path: _take(keeper, path, below.get(path.relative_to(root).as_posix())), plain)
    parts = 0
    for folder in folders:
        keeper.keep_folder(folder, folder)
        hashes = [sha256 for sha256, _ in files_of(folder).values()]
        each(partial(_part, keeper, folder.relative_to(root).as_posix()), hashes)
        keeper.kept_folder(folder)
        parts += len(hashes)
    if project.exists():
        _take(keeper, project, None)
    project.parent.mkdir(parents=True, exist_ok=True)
    (project.with_name(STORE)).write_text(named(cluster))
    return len(plain) + parts


def fetch(root: Path) -> str | None:
    """Have all that is in the store whose copies a project's folder has in that folder, as files of its own; the name
    of that store. None where it has no copies."""
    file = root / "memo" / STORE
    if not file.exists():
        return None
    store, endpoint = file.read_text().splitlines()
    keeper = Copies(root, Cluster(store=store, endpoint=endpoint or None), lambda: None, moves=True)
    for name in SHARED:
        keeper.bring(root / name)
    held = {root / name for name in keeper.objects.below("memo")}
    for path in [*stored_files(root)]:
        if path.is_relative_to(root / "memo") and path not in held:
            path.unlink()  # merged or pruned since it was fetched
    for path in (root / "memo").rglob(f"*{UNSENT}"):
        path.replace(path.with_name(path.name.removesuffix(UNSENT)))
    refuse_newer(root / SHARED[0])
    file.unlink()
    for path in (root / SHARED[0]).glob(f"*/*{LIST}"):
        path.unlink()
    return store


def _folders(root: Path) -> Iterator[Path]:
    """Those that are published as a whole: beside tables, and not of tables alone."""
    for folder in sorted((root / SHARED[0]).glob("*/*")):
        if folder.is_dir() and not folder.name.startswith("."):
            inside = {path.suffix for path in folder.iterdir() if not path.name.startswith(".")}
            if inside - {".parquet"}:
                yield folder


def _take(keeper: Copies, path: Path, held: Held | None) -> None:
    name, sha256 = path.relative_to(keeper.root).as_posix(), file_sha256(path)
    if held is None or held.size != path.stat().st_size or not _holds(keeper, name, sha256):
        keeper.objects.put(name, path)
    mark(path, _compare(keeper, name, sha256))


def _part(keeper: Copies, folder: str, sha256: str) -> None:
    _compare(keeper, f"{folder}/{sha256}", sha256)


def _compare(keeper: Copies, name: str, sha256: str) -> str:
    held = keeper.objects.find(name)
    if held is None or not _holds(keeper, name, sha256):
        raise StoreError(f"{keeper.objects.url}/{name} is not what was written: run it again, and look at the store")
    return held.tag


def _holds(keeper: Copies, name: str, sha256: str) -> bool:
    held, digest = keeper.objects.find(name), hashlib.sha256()
    for part in keeper.objects.read(name, held) if held else ():
        digest.update(part)
    return held is not None and digest.hexdigest() == sha256
