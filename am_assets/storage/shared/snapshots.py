"""The config files that runs were planned with, held by a hash of their content, so that each run reads these whatever
stands in the folder by then: `snapshots/<hash>.zip`, in the project's folder or its store.

    planned = taken(data, sources_file)
    keep(data, planned)  # before a run that is planned with them
    unpack(data, planned.version, folder)  # on the machine of the run
"""

import os
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from am_assets.config.cluster import FILE
from am_assets.config.files import ConfigError
from am_assets.storage.atomic import file_aside
from am_assets.storage.copies import of

SNAPSHOT = "AM_SNAPSHOT"  # in the environment of a run: the folder where its config files were unpacked
SNAPSHOTS = "snapshots"  # a folder of a project
BESIDE = "sources"  # in a snapshot: what lies beside a sources file that is elsewhere
FOLDERS = ("recipes", "experiments")
EXCLUDE = "exclude.txt"
# What machines share; what runs themselves record; what no run reads, and may have secrets.
APART = {FILE, "revisions.yaml", "schedule.yaml", "alerts.yaml"}
KEPT_SECONDS = 30 * 86_400.0  # since an apply was last planned with it


@dataclass(frozen=True)
class Snapshot:
    files: dict[str, bytes]  # by their path within the project

    @cached_property
    def version(self) -> str:
        digest = sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0".encode() + sha256(content).digest())
        return digest.hexdigest()[:12]


def taken(data: Path, sources_file: Path) -> Snapshot:
    """The config files of a project as they are."""
    folders = {"": data, **{f"{name}/": data / name for name in FOLDERS}}
    found = {f"{prefix}{path.name}": path for prefix, folder in folders.items() for path in folder.glob("*.yaml")}
    prefix = "" if sources_file.parent == data else f"{BESIDE}/"
    beside = [*sources_file.parent.glob("*.yaml"), sources_file, sources_file.with_name(EXCLUDE)]
    found |= {f"{prefix}{path.name}": path for path in beside}
    return Snapshot({name: path.read_bytes() for name, path in found.items() if path.is_file() and _counts(path)})


def placed(data: Path, sources_file: Path) -> tuple[Path, Path]:
    """Where this process reads the config files of a project: its folder and sources file, or those of a snapshot."""
    if not (folder := os.environ.get(SNAPSHOT)):
        return data, sources_file
    return Path(folder), Path(folder, "" if sources_file.parent == data else BESIDE, sources_file.name)


def keep(data: Path, snapshot: Snapshot) -> None:
    """Hold a snapshot, and have its age begin anew."""
    with file_aside(_path(data, snapshot.version)) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in sorted(snapshot.files.items()):
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def unpack(data: Path, version: str, folder: Path) -> None:
    """Have the files of a snapshot in a folder; `ConfigError` where it is not held."""
    path = _path(data, version)
    if of(path).here(path) is None:
        raise ConfigError(
            f"{path} is not there, which has the config files that the run was planned with: the folder is another"
            f" one, or it was removed. Apply again"
        )
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)


def old(data: Path) -> list[str]:
    """The versions of snapshots that no apply was planned with for long."""
    folder, before = data / SNAPSHOTS, time.time() - KEPT_SECONDS
    times = of(folder).times(folder, ".zip")
    return [name.removesuffix(".zip") for name, at in times.items() if at < before]


def remove(data: Path, versions: Iterable[str]) -> None:
    of(data / SNAPSHOTS).remove([_path(data, version) for version in versions])


def _path(data: Path, version: str) -> Path:
    return data / SNAPSHOTS / f"{version}.zip"


def _counts(path: Path) -> bool:
    return path.name not in APART
