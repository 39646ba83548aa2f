"""Models and files of the Hugging Face hub: whether a name can be one, and whether it can be had now."""

import re
from difflib import get_close_matches
from pathlib import Path

from am_assets.runtime.quoting import quoted

REPO = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
ALIKE = 0.8  # of the letters
SECONDS = 5.0  # for an answer of the hub


def misnamed(name: str, bundled: list[str]) -> str | None:
    """What is wrong with the name of weights: neither `bundled`, nor a folder, nor in the form of the hub's names.

    A hub's name that differs from a bundled one by a slip of the finger is taken for that slip.
    """
    if name in bundled or (name and Path(name).is_dir()):
        return None
    owner, slash, _ = name.partition("/")
    owners = [known.partition("/")[0] for known in bundled if "/" in known]
    names = [known.rpartition("/")[2] for known in bundled]
    slip = get_close_matches(owner, owners, cutoff=ALIKE) if slash else get_close_matches(name, names, cutoff=ALIKE)
    if slip:
        return f"there is no {name}: bundled is {' or '.join(bundled)}; or name a folder, or <owner>/<name> of the hub"
    if not REPO.fullmatch(name):
        return f"{name}: no such folder, and no name of the hub: write an existing folder, or <owner>/<name> of the hub"
    return None


def out_of_reach(repo: str, kind: str = "model", file: str = "config.json", revision: str | None = None) -> str | None:
    """Why a repository's file can't be had, neither from the hub's cache on this disk nor from the hub itself.

    `kind` is `model` or `dataset`; a `file` with a wildcard needs the hub itself.
    """
    from glob import has_magic

    from huggingface_hub import HfApi, try_to_load_from_cache

    anywhere = has_magic(file)
    if not anywhere and isinstance(try_to_load_from_cache(repo, file, repo_type=kind, revision=revision), str):
        return None
    try:
        found = HfApi().repo_info(repo, repo_type=kind, revision=revision, timeout=SECONDS)
    except Exception as error:  # no network, no such name and no access each raise a type of their own
        return quoted(error) or type(error).__name__
    names = [sibling.rfilename for sibling in getattr(found, "siblings", None) or []]
    return None if anywhere or file in names else f"there is no {file} in it"
