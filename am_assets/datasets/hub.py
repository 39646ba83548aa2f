"""Models and files of the Hugging Face hub: whether a name is well formed, whether it is available, and the commit that
it has now."""

import re
from difflib import get_close_matches
from pathlib import Path

from am_assets.runtime.quoting import quoted

REPO = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
LOCATION = re.compile(r"hf://datasets/(?P<repo>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<file>.+)")
ALIKE = 0.8  # similarity ratio of difflib from which a name counts as a misspelling
SECONDS = 5.0  # timeout of a request to the hub


def misnamed(name: str, bundled: list[str]) -> str | None:
    """Why `name` names no weights: it is neither bundled, nor a folder, nor in the form of a hub name. None if it is.

    A name nearly equal to a bundled one is reported as a misspelling of it, though it could be another on the hub.
    """
    if name in bundled or (name and Path(name).is_dir()):
        return None
    owner, slash, _ = name.partition("/")
    owners = [known.partition("/")[0] for known in bundled if "/" in known]
    names = [known.rpartition("/")[2] for known in bundled]
    meant = get_close_matches(owner, owners, cutoff=ALIKE) if slash else get_close_matches(name, names, cutoff=ALIKE)
    if meant:
        return f"there is no {name}: bundled is {' or '.join(bundled)}; or name a folder, or <owner>/<name> of the hub"
    if not REPO.fullmatch(name):
        return f"{name}: no such folder, and no name of the hub: write an existing folder, or <owner>/<name> of the hub"
    return None


def out_of_reach(repo: str, kind: str = "model", file: str = "config.json", revision: str | None = None) -> str | None:
    """Why a file of a repository is in neither the local cache of the hub nor the hub itself; None if it is available.

    `kind` is `model` or `dataset`; a `file` with a wildcard is looked up on the hub only.
    """
    from glob import has_magic

    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError

    wildcard = has_magic(file)
    if not wildcard and isinstance(try_to_load_from_cache(repo, file, repo_type=kind, revision=revision), str):
        return None
    try:
        info = HfApi().repo_info(repo, repo_type=kind, revision=revision, timeout=SECONDS)
        if getattr(info, "gated", None):  # everybody may see what it has, and not everybody may have it
            HfApi().auth_check(repo, repo_type=kind)
    except GatedRepoError:
        return "it is gated: accept its terms on its page, and set HF_TOKEN to a token of that account"
    except Exception as error:  # no network, no such name and no access each raise a type of their own
        return quoted(error) or type(error).__name__
    names = [sibling.rfilename for sibling in getattr(info, "siblings", None) or []]
    return None if wildcard or file in names else f"there is no {file} in it"


def commit_of(repo: str, file: str) -> str:
    """The commit of a data set that its default branch is at: on the hub, else in the local cache, where a file without
    a wildcard is. Whatever the client raises where neither has it."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        return str(HfApi().dataset_info(repo, timeout=SECONDS).sha)
    except Exception:
        cached = try_to_load_from_cache(repo, file, repo_type="dataset")
        if not isinstance(cached, str):
            raise
        folders = Path(cached).parts
        return folders[folders.index("snapshots") + 1]  # the layout of the cache: snapshots/<commit>/<file>
