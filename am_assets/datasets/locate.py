"""From a `location` in a settings file to local files, and the hash of their content.

Kinds of locations belong here: paths, globs, `$VARS` and the Hugging Face hub. Parsing files belongs to `records.py`.
"""

import glob
import hashlib
import os
import re
from itertools import takewhile
from pathlib import Path

from am_assets.config.files import ConfigError
from am_assets.runtime.quoting import quoted

HUB = re.compile(r"hf://datasets/(?P<repo>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<file>.+)")


class SourceError(ConfigError):
    """A data file cannot be used as its settings say; the message names the file, the line and the field."""


def find_files(location: str, base: Path) -> list[Path]:
    """The files a location names, at least one, sorted by path. A relative location starts at `base`.

    Files on the hub (`hf://datasets/<owner>/<name>[@revision]/<path or glob>`) are downloaded once and then read from
    the hub's own cache. `SourceError` for an unset variable, no match, a folder, what is no file, a symlink that leads
    out of the folder that the location names, or an unreachable hub.

    >>> find_files("$CORPORA/gsm8k/*.jsonl", Path("data"))
    """
    if location.startswith("hf://"):
        return _from_hub(location)
    expanded = os.path.expanduser(os.path.expandvars(location))
    if unset := re.search(r"\$\{?(\w+)", expanded):
        raise SourceError(f"location: {location}: the environment variable {unset[1]} is not set")
    path = base / expanded
    matches = [path] if path.exists() else [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
    files = [match for match in matches if not match.is_dir()]
    if not files:
        fault = "is a folder: name a file, or files by a glob such as *.jsonl" if matches else "no such file"
        raise SourceError(f"{path}: {fault}")
    folder = _written_folder(expanded, base)
    for file in files:
        _check_file(file, folder)
    return files


def _written_folder(location: str, base: Path) -> Path:
    """The folder that files of a location have to lie in: `base`, or the one that it leads to by `..` or from the root
    before any wildcard, since that was written on purpose."""
    folder = Path(location).parent
    if not folder.is_absolute() and ".." not in folder.parts:
        return base
    plain = list(takewhile(lambda part: not glob.has_magic(part) or (base / folder).exists(), folder.parts))
    return base / Path(*plain)


def _check_file(file: Path, folder: Path) -> None:
    """`SourceError` for what is no file, such as a pipe, and for a symlink out of the folder: what is read would be
    another than the location says."""
    target = Path(os.path.realpath(file))
    if target.exists() and not target.is_file():
        raise SourceError(f"{file}: is no regular file")
    if target.is_relative_to(os.path.realpath(folder)) or _in_cache_of_hub(file, target):
        return
    raise SourceError(
        f"{file}: a symlink leads out of {folder}, to {target}: name that path as the location if it is meant, or copy"
        " the file"
    )


def _in_cache_of_hub(file: Path, target: Path) -> bool:
    """The cache of the hub keeps files in `blobs`, and links to them by their names in `snapshots/<revision>`."""
    return any(
        folder.name == "snapshots" and target.parent == Path(os.path.realpath(folder.parent)) / "blobs"
        for folder in file.parents
    )


def content_hash(location: str, base: Path) -> str:
    """sha256 hex over the bytes of the files, in order, read as a stream. On the hub only
    the location is hashed: pin an `@revision` there."""
    if location.startswith("hf://"):
        return hashlib.sha256(location.encode()).hexdigest()
    total = hashlib.sha256()
    for path in find_files(location, base):
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise SourceError(f"{path}: can't be read: {error.strerror}") from None
    return total.hexdigest()


def _from_hub(location: str) -> list[Path]:
    from huggingface_hub import HfFileSystem, hf_hub_download

    match = HUB.fullmatch(location)
    if match is None:
        raise SourceError(f"location: {location}: expected hf://datasets/<owner>/<name>/<file or glob>")
    repo, revision, file = match["repo"], match["revision"], match["file"]
    try:
        names = [file]
        if glob.has_magic(file):
            prefix = location.removesuffix(file).removeprefix("hf://")
            names = sorted(found.removeprefix(prefix) for found in HfFileSystem().glob(location))
        files = [Path(hf_hub_download(repo, name, repo_type="dataset", revision=revision)) for name in names]
    except Exception as error:  # network, hub and client each raise types of their own
        reason = quoted(error) or type(error).__name__
        raise SourceError(
            f"{location}: can't be fetched from the Hugging Face hub: {reason}\n"
            "Check the name, the network and HF_TOKEN, or download the file and give its path as location."
        ) from None
    if not files:
        raise SourceError(f"{location}: no such file on the hub")
    return files
