"""A push of a release to a dataset repository of the Hugging Face hub: where to, what it would change, doing it."""

import os
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from am_assets.config.files import ConfigError
from am_assets.engines.hub.changes import RECORD, Changes, Local, changes, record
from am_assets.engines.hub.repository import Repository, Standing
from am_assets.planning.release import Release

TOKEN = "HF_TOKEN"
ADDRESS = re.compile(r"hf://datasets/(?P<owner>[^/@]*)/(?P<name>[^/@]*)/?")
BRANCH = re.compile(r"(?!refs/)\w[\w-]*([./][\w-]+)*")
COMMIT = re.compile(r"[0-9a-f]{7,40}")
SHORT = 12  # digits of a content version or commit that are enough


def repository(address: str, branch: str) -> Repository:
    """The repository that a user named, to be asked with the token in the environment.

    A token that `hf auth login` stored is not taken: it is a person's, and not this command's to use.
    `ConfigError` names the part of the address, the option or the variable that is at fault.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    parts = ADDRESS.fullmatch(address)
    if parts is None:
        raise ConfigError(f"{address}: write it as hf://datasets/OWNER/NAME; a branch goes into --revision")
    for part, value in parts.groupdict().items():
        try:
            validate_repo_id(value)
        except HFValidationError as error:
            raise ConfigError(f"{address}: {part}: {error}") from None
    if not BRANCH.fullmatch(branch) or COMMIT.fullmatch(branch):
        raise ConfigError(f"--revision {branch}: name a branch, as in --revision draft; nothing else takes a push")
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise ConfigError(f"{TOKEN} is not set: put a token with write access to {address} into that variable")
    return Repository(f"{parts['owner']}/{parts['name']}", branch, token)


@dataclass(frozen=True)
class Push:
    """What a push would do to `hub`, which holds `standing`. `private` matters where there is no repository yet."""

    hub: Repository
    release: Release
    private: bool
    standing: Standing
    files: dict[str, Local]

    @cached_property
    def change(self) -> Changes:
        return changes(self.files, self.standing.files, self.standing.ours)

    @property
    def tag(self) -> str:
        return f"content-{self.release.version[:SHORT]}"

    @property
    def new_branch(self) -> bool:
        return self.hub.branch not in self.standing.branches

    @property
    def todo(self) -> bool:
        return bool(self.change) or self.tag not in self.standing.tags or self.new_branch

    def to_dict(self) -> dict[str, Any]:
        where = {"url": self.hub.url, "branch": self.hub.branch, "tag": self.tag}
        return {"recipe": self.release.recipe, "content_version": self.release.version, **where, **asdict(self.change)}

    def run(self) -> str:
        """Do it; returns the commit. A tag that is there stays where it is: whoever reads by it reads what they read.

        `HubError`, or `ConfigError` where the release was made anew meanwhile: nothing was committed then.
        """
        message = f"{self.release.recipe}: content version {self.release.version}"
        commit = self.hub.make_ready(self.standing, self.private or None)
        if self.change:
            adds = self.hub.upload({path: self.files[path] for path in [*self.change.added, *self.change.changed]})
            self.release.refuse_replaced()
            commit = self.hub.commit(adds, self.change.removed, self.files, commit, message)
        if self.tag not in self.standing.tags:
            self.hub.tag(commit, self.tag, message)
        return commit


def proposed(hub: Repository, release: Release, private: bool) -> Push:
    """What pushing `release` would do, after a look at the repository; changes nothing.

    `HubError`; `ConfigError` where a repository that shall be private is public, or the branch is a tag.
    """
    paths = release.files()
    files = {path: Local(file) for path, file in paths.items()}
    files[RECORD] = Local(record(release.recipe, release.version, paths))
    standing = hub.standing()
    if private and standing.private is False:
        raise ConfigError(
            f"--private: {hub.url} is there already, and public: make it private in its settings, or name another"
        )
    if hub.branch in standing.tags:
        raise ConfigError(f"--revision {hub.branch}: that is a tag of {hub.url}: name a branch")
    return Push(hub, release, private, standing, files)
