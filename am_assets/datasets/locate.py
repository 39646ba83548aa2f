"""From a `location` in a settings file to local files, and the hash of their content.

Kinds of locations belong here: paths, folders, globs, `$VARS` and the Hugging Face hub, of which each data set is read
at one commit. Parsing files belongs to `records.py`.
"""

import glob
import hashlib
import json
import os
import re
from itertools import takewhile
from pathlib import Path

from am_assets.config.files import ConfigError, read_yaml
from am_assets.datasets import hub
from am_assets.runtime.quoting import quoted
from am_assets.storage.atomic import locked, write_whole

FORMATS = [".jsonl", ".jsonlines", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"]  # text also packed
PACKED = (".gz", ".zst", ".xz", ".bz2")
# In a folder of data: what `datasets` writes beside the rows, and what a file is called that is no part of the others.
BESIDE_ROWS = re.compile(r"dataset_infos?\.json|dataset_dict\.json|state\.json|cache-.*\.arrow|\..*")
SPLIT = re.compile(r"(?<![a-z])(?:train|test|val|valid|validation|dev|eval)(?![a-z])", re.I)
REVISIONS = "revisions.yaml"  # beside the file that names the location
HEAD = """\
# The commit of each data set of the Hugging Face hub, recorded when it was first read: no row changes by itself. Take a
# line out to read the newest again; `am plan` then says which sources and benchmarks that is.
"""


class SourceError(ConfigError):
    """A data file cannot be used as its settings say; the message names the file, the line and the field."""


def find_files(location: str, base: Path) -> list[Path]:
    """The files a location names, at least one, sorted by path. A relative location starts at `base`.

    Files on the hub (`hf://datasets/<owner>/<name>[@revision]/<path or glob>`) are downloaded once and then read from
    the hub's own cache, at the commit that `pin` recorded. Of a folder they are its data files, where these are one
    set: in one folder, of one format and one split. `SourceError` for an unset variable, no match, several sets, what
    is no file, a symlink that leads out of the folder that the location names, or an unreachable hub.

    >>> find_files("$CORPORA/gsm8k/*.jsonl", Path("data"))
    """
    if location.startswith("hf://"):
        return _from_hub(at_commit(location, base))
    expanded = os.path.expanduser(os.path.expandvars(location))
    if unset := re.search(r"\$\{?(\w+)", expanded):
        raise SourceError(f"location: {location}: the environment variable {unset[1]} is not set")
    path = base / expanded
    if path.is_dir():
        files, expanded = _of_folder(path), os.path.join(expanded, "*")
    else:
        matches = [path] if path.exists() else map(Path, sorted(glob.glob(str(path), recursive=True)))
        files = [match for match in matches if not match.is_dir()]
    if not files:
        raise SourceError(f"{path}: no such file")
    folder = _written_folder(expanded, base)
    for file in files:
        _check_file(file, folder)
    return files


def unpacked_name(path: Path) -> str:
    """The name of a file without the ending of its compression."""
    return path.name.removesuffix(path.suffix) if path.suffix in PACKED else path.name


def _of_folder(folder: Path) -> list[Path]:
    """The data files in a folder and those within. `SourceError` where they are none, or more than one set: to read
    these together would be a choice that nobody made, such as training on a test split."""
    sets: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        suffix = Path(unpacked_name(path)).suffix.lower()
        if suffix in FORMATS and path.is_file() and not any(map(BESIDE_ROWS.fullmatch, path.relative_to(folder).parts)):
            split = SPLIT.search(path.name)
            name = f"*{split[0]}*{suffix}*" if split else f"*{suffix}*"
            sets.setdefault(str(path.parent / name), []).append(path)
    if not sets:
        raise SourceError(f"{folder}: is a folder without data files ({' '.join(FORMATS)})")
    if len(sets) > 1:
        raise SourceError(f"{folder}: is a folder of several sets of files: name one of them: {', '.join([*sets][:9])}")
    return next(iter(sets.values()))


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
    """sha256 hex over the bytes of the files, in order, read as a stream. On the hub only the location is hashed, with
    its commit."""
    if location.startswith("hf://"):
        return hashlib.sha256(at_commit(location, base).encode()).hexdigest()
    total = hashlib.sha256()
    for path in find_files(location, base):
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise SourceError(f"{path}: can't be read: {error.strerror}") from None
    return total.hexdigest()


def recorded_commit(location: str, base: Path) -> str | None:
    """The commit that `pin` recorded for the data set of a location; None for any that is no data set of the hub or
    names a revision itself."""
    match = hub.LOCATION.fullmatch(location)
    return _commits(base).get(match["repo"]) if match and not match["revision"] else None


def at_commit(location: str, base: Path) -> str:
    """The location with the commit recorded for it, or as it is."""
    commit = recorded_commit(location, base)
    return with_revision(location, commit) if commit else location


def with_revision(location: str, revision: str) -> str:
    """
    >>> with_revision("hf://datasets/openai/gsm8k/main/train-*.parquet", "e53f048")
    'hf://datasets/openai/gsm8k@e53f048/main/train-*.parquet'
    """
    match = hub.LOCATION.fullmatch(location)
    assert match
    return f"hf://datasets/{match['repo']}@{revision}/{match['file']}"


def pin(location: str | None, base: Path) -> None:
    """Record the commit that a data set of the hub is at now, unless one is recorded or the location names a revision.

    What follows is read at that commit, by every source and benchmark of the folder `base`. `SourceError` where neither
    the hub nor its local cache has the data set.
    """
    match = hub.LOCATION.fullmatch(location or "")
    if location is None or match is None or match["revision"] or recorded_commit(location, base):
        return
    try:
        commit = hub.commit_of(match["repo"], match["file"])
    except Exception as error:
        raise _unreachable(location, error) from None
    with locked(base):
        if match["repo"] in _commits(base):  # another run was faster
            return
        path = base / REVISIONS
        before = path.read_text(encoding="utf-8") if path.exists() else HEAD
        write_whole(path, f"{before.rstrip()}\n{match['repo']}: {json.dumps(commit)}\n")


def _commits(base: Path) -> dict[str, str]:
    """By data set; `ConfigError` where the file holds anything else."""
    path = base / REVISIONS
    content = read_yaml(path) if path.exists() else {}
    for repo, commit in content.items():
        if not (isinstance(commit, str) and re.fullmatch(r"[\w.-]+", commit)):
            raise ConfigError(f'{path}: {repo}: expected a commit of the hub as text, as in "0530c786…"')
    return content


def _unreachable(location: str, error: Exception) -> SourceError:
    return SourceError(
        f"{location}: can't be fetched from the Hugging Face hub: {quoted(error) or type(error).__name__}\n"
        "Check the name, the network and HF_TOKEN, or download the file and give its path as location."
    )


def _from_hub(location: str) -> list[Path]:
    from huggingface_hub import HfFileSystem, hf_hub_download

    match = hub.LOCATION.fullmatch(location)
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
        raise _unreachable(location, error) from None
    if not files:
        raise SourceError(f"{location}: no such file on the hub")
    return files
