"""A server that speaks so much of the Hugging Face hub as reading data sets takes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest

REPO = "owner/set"


class Hub:
    """One data set, of which each `push` makes a commit. `asked` are the paths that clients asked for."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.gated = False  # all may see what it has, and none may have it
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.asked.append(self.path)
                length = int(self.headers.get("content-length") or 0)
                status, headers, content = hub.answer(unquote(urlsplit(self.path).path), self.rfile.read(length))
                self.send_response(status)
                for name, value in (headers | {"content-length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_HEAD = do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def push(self, files: dict[str, list[dict]]) -> str:
        """A commit with these rows, by file; returns its name."""
        content = {name: "".join(json.dumps(row) + "\n" for row in rows).encode() for name, rows in files.items()}
        commit = sha256(repr((len(self.commits), content)).encode()).hexdigest()[:40]
        self.commits[commit] = content
        return commit

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        api, page = f"/api/datasets/{REPO}", f"/datasets/{REPO}/resolve/"
        if self.gated and (path.startswith(page) or path == f"{api}/auth-check"):
            return 403, {"x-error-code": "GatedRepo"}, b"{}"
        if path.startswith(page):
            revision, _, name = path.removeprefix(page).partition("/")
            commit = self._commit(revision)
            if commit is None or name not in self.commits[commit]:
                return 404, {"x-error-code": "EntryNotFound"}, b""
            content = self.commits[commit][name]
            tag = sha256(content).hexdigest()
            return 200, {"etag": f'"{tag}"', "x-repo-commit": commit, "accept-ranges": "bytes"}, content
        if not path.startswith(api):
            return 404, {"x-error-code": "RepoNotFound"}, b"{}"
        what, _, rest = path.removeprefix(api).strip("/").partition("/")
        revision, _, folder = rest.partition("/")
        commit = self._commit(revision or "main")
        if commit is None:
            return 404, {"x-error-code": "RevisionNotFound"}, b"{}"
        return 200, {"content-type": "application/json"}, json.dumps(self._told(what, commit, folder)).encode()

    def _told(self, what: str, commit: str, folder: str) -> object:
        """What a commit has, the files of a folder of it, or everything by its path."""
        files = self.commits[commit]
        if what in ("tree", "paths-info"):
            folders = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
            there = [{"type": "directory", "path": name, "oid": "0" * 40} for name in sorted(folders)]
            there += [{"type": "file", "path": name, "size": len(files[name]), "oid": "0" * 40} for name in files]
            return [one for one in there if what != "tree" or str(PurePosixPath(one["path"]).parent) == (folder or ".")]
        gated = "auto" if self.gated else False
        return {"id": REPO, "sha": commit, "gated": gated, "siblings": [{"rfilename": name} for name in files]}

    def _commit(self, revision: str) -> str | None:
        latest = list(self.commits)[-1]
        return latest if revision == "main" else revision if revision in self.commits else None


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Hub]:
    """The hub that this process reads from, with a local cache of its own."""
    from huggingface_hub import HfFileSystem, constants

    hub = Hub()
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    HfFileSystem.clear_instance_cache()
    yield hub
    HfFileSystem.clear_instance_cache()
    hub.server.shutdown()
    hub.server.server_close()
