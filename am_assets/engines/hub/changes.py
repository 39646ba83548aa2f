"""What a push would change: the files of a release against those of a commit, compared by content.

Nothing here talks to a hub.

>>> changes({"data/a.parquet": Local(path)}, remote={}, ours=[]).added
['data/a.parquet']
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

RECORD = ".am-release.json"  # pushed with each release: what it holds, so that the next push knows its own files
DATA = "data/"


class Local:
    """A file to push, on disk or in memory. It is read where something of the same size is there already."""

    def __init__(self, content: Path | bytes):
        self.content = content
        self.size = len(content) if isinstance(content, bytes) else content.stat().st_size

    @cached_property
    def sha256(self) -> str:
        return self._digest(hashlib.sha256())

    @cached_property
    def git_sha1(self) -> str:
        """The name of the content as a blob of Git."""
        return self._digest(hashlib.sha1(b"blob %d\0" % self.size))

    def _digest(self, digest: "hashlib._Hash") -> str:
        if isinstance(self.content, bytes):
            digest.update(self.content)
            return digest.hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, lambda: digest).hexdigest()


@dataclass(frozen=True)
class Remote:
    """A file of a commit: its size in bytes, and the sha256 of a large file or the Git blob of another."""

    size: int
    git_sha1: str
    sha256: str | None = None

    def holds(self, file: Local) -> bool:
        if self.size != file.size:
            return False
        return self.sha256 == file.sha256 if self.sha256 else self.git_sha1 == file.git_sha1


@dataclass(frozen=True)
class Changes:
    """Paths in a repository, each list in alphabetical order."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    same: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def changes(local: Mapping[str, Local], remote: Mapping[str, Remote], ours: Collection[str]) -> Changes:
    """From the files of a commit to those of a release.

    Removed is what the release lacks below `data/`, and what an earlier push says is its own (`ours`). Hidden files,
    as `.gitattributes`, and all others are their owner's.
    """
    gone = sorted(remote.keys() - local.keys())
    both = sorted(local.keys() & remote.keys())
    return Changes(
        added=sorted(local.keys() - remote.keys()),
        changed=[path for path in both if not remote[path].holds(local[path])],
        removed=[path for path in gone if not _hidden(path) and (path.startswith(DATA) or path in ours)],
        same=[path for path in both if remote[path].holds(local[path])],
    )


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def record(recipe: str, version: str, paths: Collection[str]) -> bytes:
    """The content of `RECORD`: the recipe, its content version and the paths of the release."""
    content = {"recipe": recipe, "content_version": version, "files": sorted(paths)}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def recorded(content: bytes) -> list[str]:
    """The paths that a `RECORD` names; none where it isn't one, as somebody may have edited it."""
    try:
        files = json.loads(content)["files"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    return [path for path in files if isinstance(path, str)] if isinstance(files, list) else []
