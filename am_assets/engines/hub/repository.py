"""A dataset repository of the Hugging Face hub: what stands in it, and a release put there in one commit.

`preupload_lfs_files`, a few files a call, then one `create_commit`: all are public, the hub itself remembers the files
that have arrived, so that a push that was killed sends only the others again and keeps no state here, and readers see
the old release or the new one. `upload_large_folder` and `upload_folder` resume too, but commit in several steps, and
the former is deprecated and deletes nothing.

    hub = Repository("owner/name", "main", token)
    standing = hub.standing()
    parent = hub.make_ready(standing, private=True)
    commit = hub.commit(hub.upload(files), removed=[], files=files, parent=parent, message="...")
    hub.tag(commit, "content-0123456789ab", message="...")
"""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING

from am_assets.engines.hub.changes import RECORD, Local, Remote, changes, recorded
from am_assets.runtime import progress
from am_assets.runtime.quoting import quoted

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

AT_ONCE = 5  # files under way at a time: as many may have to be sent again after a kill
MAX_RECORD_BYTES = 4_000_000
QUERY = re.compile(r"(https?://[^\s?]+)\?\S*")  # of an address: those of storage are signed, which lets anybody write
NOTHING_IGNORED = "# a release is whole\n"  # instead of the .gitignore of the repository


class HubError(RuntimeError):
    """The hub refused something, or could not be reached; the message says what to do and quotes no secret."""


@dataclass(frozen=True)
class Standing:
    """What a repository holds; `private` is None where there is none. Of a branch that is not there yet, `head` and
    `files` are those of `main`, from which it is made. `ours` are paths that an earlier push says it put there."""

    private: bool | None = None
    head: str | None = None
    branches: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)  # to commits
    files: dict[str, Remote] = field(default_factory=dict)
    ours: list[str] = field(default_factory=list)


class Repository:
    """A branch of `<owner>/<name>`, asked for with `token` and no other; the hub is the one that HF_ENDPOINT names."""

    def __init__(self, name: str, branch: str, token: str):
        from huggingface_hub import HfApi

        self.name, self.branch, self.token = name, branch, token
        endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
        self.api = HfApi(endpoint=endpoint, token=token, library_name="am-assets")

    @property
    def url(self) -> str:
        return f"{self.api.endpoint}/datasets/{self.name}"

    def standing(self) -> Standing:
        """`HubError` where the hub can't be asked."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._explained():
            try:
                info = self.api.repo_info(self.name, repo_type="dataset")
            except RepositoryNotFoundError as error:
                if error.response.status_code != 404:  # 401 comes as this type, too
                    raise
                return Standing()
            refs = self.api.list_repo_refs(self.name, repo_type="dataset")
            branches = {ref.name: ref.target_commit for ref in refs.branches}
            head = branches.get(self.branch) or branches.get("main")
            files = self._files(head) if head else {}
            return Standing(
                bool(info.private),
                head,
                sorted(branches),
                {ref.name: ref.target_commit for ref in refs.tags},
                files,
                self._ours(head, files),
            )

    def make_ready(self, standing: Standing, private: bool | None) -> str:
        """The head of the branch, after repository and branch were made where they were not there."""
        with self._explained():
            if standing.private is None:
                self.api.create_repo(self.name, repo_type="dataset", private=private)
            if self.branch not in standing.branches and self.branch != "main":
                self.api.create_branch(self.name, branch=self.branch, repo_type="dataset")
            if standing.head:
                return standing.head
            refs = self.api.list_repo_refs(self.name, repo_type="dataset")
            return next((ref.target_commit for ref in refs.branches if ref.name == self.branch), "")

    def upload(self, files: Mapping[str, Local]) -> list["CommitOperationAdd"]:
        """Send large files, by path in the repository, where nobody sees them; all `files` as parts of a commit."""
        from huggingface_hub import CommitOperationAdd

        with self._explained(), progress.task("upload", len(files)) as advance:
            adds = [CommitOperationAdd(path, file.content) for path, file in files.items()]
            for start in range(0, len(adds), AT_ONCE):
                some = adds[start : start + AT_ONCE]
                for one in some:
                    one.upload_info.sha256 = bytes.fromhex(files[one.path_in_repo].sha256)
                self.api.preupload_lfs_files(
                    self.name,
                    some,
                    repo_type="dataset",
                    revision=self.branch,
                    gitignore_content=NOTHING_IGNORED,
                    free_memory=False,
                    num_threads=AT_ONCE,
                )
                advance(len(some))
        return adds

    def commit(
        self,
        adds: list["CommitOperationAdd"],
        removed: list[str],
        files: Mapping[str, Local],
        parent: str,
        message: str,
    ) -> str:
        """Show what was uploaded, and `removed` no more, in one commit that holds all of `files`; returns its name.

        `HubError` where the branch is not at `parent` any more, or the commit holds other files than these.
        """
        from huggingface_hub import CommitOperationDelete

        with self._explained():
            commit = self.api.create_commit(
                self.name,
                [*adds, *(CommitOperationDelete(path, is_folder=False) for path in removed)],
                commit_message=message,
                repo_type="dataset",
                revision=self.branch,
                parent_commit=parent or None,
            ).oid
            left = changes(files, self._files(commit), removed)
        if left:
            differ = ", ".join(quoted(path) for path in [*left.added, *left.changed, *left.removed])
            raise HubError(f"{self.url}: commit {quoted(commit)} is not the release, and gets no tag: {differ}")
        return commit

    def tag(self, commit: str, name: str, message: str) -> None:
        with self._explained():
            self.api.create_tag(self.name, tag=name, tag_message=message, revision=commit, repo_type="dataset")

    def _files(self, commit: str) -> dict[str, Remote]:
        from huggingface_hub.hf_api import RepoFile

        tree = self.api.list_repo_tree(self.name, recursive=True, revision=commit, repo_type="dataset")
        return {
            entry.path: Remote(entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None)
            for entry in tree
            if isinstance(entry, RepoFile)
        }

    def _ours(self, commit: str | None, files: Mapping[str, Remote]) -> list[str]:
        if RECORD not in files or files[RECORD].size > MAX_RECORD_BYTES:
            return []
        with tempfile.TemporaryDirectory() as folder:
            path = self.api.hf_hub_download(
                self.name, RECORD, repo_type="dataset", revision=commit, local_dir=folder, token=self.token
            )
            return recorded(Path(path).read_bytes())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Every failure as a `HubError`; what the hub and its client would print themselves is not printed."""
        from huggingface_hub.utils import disable_progress_bars, logging

        before = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                disable_progress_bars()
                yield
        except Exception as error:  # network, hub and client each raise types of their own
            raise HubError(self._in_words(error)) from None
        finally:
            logging.set_verbosity(before)

    def _in_words(self, error: BaseException) -> str:
        while error.__cause__ is not None and not hasattr(error, "response"):
            error = error.__cause__
        status = getattr(getattr(error, "response", None), "status_code", None)
        said = quoted(QUERY.sub(r"\1", str(error)), self.token) or type(error).__name__
        again = "run the command again: files that have arrived are not sent again"
        if isinstance(error, JSONDecodeError | KeyError | TypeError):  # as of a page of a proxy
            again = f"{self.api.endpoint} does not answer as a hub does: look at HF_ENDPOINT and at your network"
        advice = {
            401: f"HF_TOKEN: {self.api.endpoint} does not accept it; set one that is valid there",
            403: f"HF_TOKEN: it may not do this to {self.name}; set one with write access to it",
            409: "it is there already; run the command again, or take another name where it is not yours",
            412: f"branch {self.branch} moved meanwhile and nothing was committed; run the command again",
        }.get(status or 0, again)
        return f"{self.url}: {advice}\nThe hub or its client: {said}"
