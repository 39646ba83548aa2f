"""A model hub of this machine: the part of the Hugging Face hub's HTTP interface that a push of a dataset uses.

It keeps what a hub keeps (repositories, branches, tags, commits, large objects by their hash) in memory, remembers what
it was asked, and refuses what a client must not do: no or a wrong token, a token shown to the storage, an object that
is not what it was announced as, a commit of large files that never arrived or on a branch that moved, a card whose head
is no YAML. It speaks the LFS transfer, in one or several parts; xet, the hub's other transfer, it doesn't know.
"""

import hashlib
import json
import re
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

OWNER = "lab"
WRITE, READ = "hf_writes_0123456789abcdef", "hf_only_reads_0123456789ab"
LARGE = re.compile(r"\.(parquet|bin)$")  # what .gitattributes of a new repository says
PAGE = 3  # files of a page of a tree
PART = 1000  # bytes of a part of an object that comes in parts
ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.bin filter=lfs diff=lfs merge=lfs -text\n"


class Refused(Exception):
    def __init__(self, status: int, words: str, code: str = ""):
        super().__init__(words)
        self.status, self.words, self.code = status, words, code


@dataclass
class Repo:
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)  # by commit the files, large ones in full
    messages: list[str] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def add(self, branch: str, files: dict[str, bytes], message: str) -> str:
        name = hashlib.sha1(f"{branch} {len(self.commits)} {message}".encode()).hexdigest()
        self.commits[name] = files
        self.messages.append(message)
        self.branches[branch] = name
        return name

    def at(self, revision: str) -> str:
        commit = self.branches.get(revision) or self.tags.get(revision) or revision
        if commit not in self.commits:
            raise Refused(404, f"no revision {revision}", "RevisionNotFound")
        return commit

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return self.commits[self.at(revision)]


class Hub:
    """`stall_after`: so many objects are taken, then the storage says nothing more until `go_on` is set."""

    def __init__(self, multipart: bool = False):
        self.repos: dict[str, Repo] = {}
        self.multipart = multipart
        self.asked: list[str] = []
        self.received: list[str] = []  # hashes of objects that came in whole, in order
        self.stall_after: int | None = None
        self.stalled = 0
        self.go_on = threading.Event()
        self.words = "said by the hub"  # of a refusal
        self.lock = threading.RLock()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.read()
                try:
                    reply = hub.reply(self, body)
                except Refused as refused:
                    code = {"x-error-code": refused.code} if refused.code else {}
                    self.send(refused.status, {"error": refused.words}, code)
                else:
                    self.send(*reply)

            do_GET = do_POST = do_PUT = do_HEAD = answer

            def read(self) -> bytes:
                if self.headers.get("transfer-encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                content = b""
                while size := int(self.rfile.readline(), 16):
                    content += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return content

            def send(self, status: int, content: Any, headers: dict[str, str]) -> None:
                sent = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"content-length": str(len(sent)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(sent)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def reply(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any, dict[str, str]]:
        address = urlsplit(request.path)
        path, query = unquote(address.path), parse_qs(address.query)
        self.asked.append(f"{request.command} {path}")
        token = request.headers.get("authorization")
        if path.startswith("/storage/"):
            if token is not None:
                raise Refused(400, "only one auth mechanism allowed")
            return self.store(path, query, body)
        if token not in (f"Bearer {WRITE}", f"Bearer {READ}"):
            raise Refused(401, f"Invalid username or password: {token}. {self.words}")
        writes = request.command == "POST" and path != "/api/validate-yaml"
        if writes and token != f"Bearer {WRITE}":
            raise Refused(403, f"You have read access only. {self.words}")
        with self.lock:
            return self.of_hub(request.command, path, query, body)

    def of_hub(self, verb: str, path: str, query: dict, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if (verb, path) == ("POST", "/api/validate-yaml"):
            return self.validate(json.loads(body)["content"])
        if (verb, path) == ("POST", "/api/repos/create"):
            return self.create(json.loads(body))
        if found := re.fullmatch(r"/datasets/([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch", path):
            return self.batch(found[1], json.loads(body))
        if found := re.fullmatch(r"/datasets/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", path):
            repo = self.repo(found[1])
            content = repo.files(found[2])[found[3]]
            return 200, content, {"etag": f'"{git_sha1(content)}"', "x-repo-commit": repo.at(found[2])}
        found = re.fullmatch(r"/api/datasets/([\w.-]+/[\w.-]+)(?:/(\w+)(?:/(.+))?)?", path)
        if found is None:
            raise Refused(404, f"no such address: {path}")
        name, what, revision = found.groups()
        return self.of_repo(verb, name, self.repo(name), what, revision, query, body)

    def of_repo(
        self, verb: str, name: str, repo: Repo, what: str | None, revision: str, query: dict, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        match verb, what:
            case "GET", None:
                return 200, {"id": name, "private": repo.private, "sha": repo.branches["main"]}, {}
            case "GET", "refs":
                refs = {"branches": repo.branches, "tags": repo.tags, "converts": {}}
                return 200, {kind: [_ref(kind, *item) for item in of.items()] for kind, of in refs.items()}, {}
            case "GET", "tree":
                return self.tree(name, repo, revision, int(query.get("cursor", ["0"])[0]))
            case "POST", "branch":
                repo.branches[revision] = repo.at(json.loads(body).get("startingPoint", "main"))
                return 200, {}, {}
            case "POST", "tag":
                tag = json.loads(body)["tag"]
                if tag in repo.tags:
                    raise Refused(409, "Tag reference exists already")
                repo.tags[tag] = repo.at(revision)
                return 200, {}, {}
            case "POST", "preupload":
                return self.preupload(repo, revision, json.loads(body))
            case "POST", "commit":
                return self.commit(name, repo, revision, [json.loads(line) for line in body.splitlines()])
        raise Refused(404, f"no such address: {what}")

    def repo(self, name: str) -> Repo:
        if name not in self.repos:
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self.repos[name]

    def create(self, asked: dict) -> tuple[int, Any, dict[str, str]]:
        name = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != OWNER or asked["type"] != "dataset":
            raise Refused(403, f"You can't make {asked['type']} {name}. {self.words}")
        if name in self.repos:
            raise Refused(409, "You already created this dataset repo")
        self.repos[name] = Repo(asked.get("visibility") == "private")
        self.repos[name].add("main", {".gitattributes": ATTRIBUTES}, "initial commit")
        return 200, {"url": f"{self.url}/datasets/{name}"}, {}

    def validate(self, card: str) -> tuple[int, Any, dict[str, str]]:
        try:
            head = yaml.safe_load(card.split("---\n")[1]) if card.startswith("---\n") else {}
            assert isinstance(head, dict)
        except (yaml.YAMLError, AssertionError):
            return 400, {"errors": [{"message": self.words}], "warnings": []}, {}
        return 200, {"errors": [], "warnings": [{"message": self.words}]}, {}

    def tree(self, name: str, repo: Repo, revision: str, start: int) -> tuple[int, Any, dict[str, str]]:
        files = repo.files(revision)
        folders = sorted({path.rpartition("/")[0] for path in files if "/" in path})
        entries = [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders]
        entries += [_entry(path, content) for path, content in sorted(files.items())]
        more = f"{self.url}/api/datasets/{name}/tree/{revision}?recursive=True&cursor={start + PAGE}"
        headers = {"link": f'<{more}>; rel="next"'} if len(entries) > start + PAGE else {}
        return 200, entries[start : start + PAGE], headers

    def preupload(self, repo: Repo, revision: str, asked: dict) -> tuple[int, Any, dict[str, str]]:
        ignored = asked.get("gitIgnore", repo.files(revision).get(".gitignore", b"").decode()).split()
        told = []
        for file in asked["files"]:
            mode = "lfs" if LARGE.search(file["path"]) else "regular"
            ignore = any(file["path"].startswith(start) for start in ignored)
            told.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": ignore, "oid": None})
        return 200, {"files": told}, {}

    def batch(self, name: str, asked: dict) -> tuple[int, Any, dict[str, str]]:
        repo, objects = self.repo(name), []
        for one in asked["objects"]:
            oid, size = one["oid"], one["size"]
            told = {"oid": oid, "size": size}
            if oid not in repo.objects:
                href = f"{self.url}/storage/{name}/{oid}"
                signed = "X-Amz-Signature=c0ffee"
                header = {}
                if self.multipart and size > PART:
                    numbers = range(1, -(-size // PART) + 1)
                    header = {"chunk_size": str(PART)} | {f"{n}": f"{href}/{n}?{signed}" for n in numbers}
                    signed = f"complete=1&{signed}"
                told["actions"] = {"upload": {"href": f"{href}?{signed}", "header": header}}
            objects.append(told)
        return 200, {"transfer": "multipart" if self.multipart else "basic", "objects": objects}, {}

    def store(self, path: str, query: dict, body: bytes) -> tuple[int, Any, dict[str, str]]:
        if "X-Amz-Signature" not in query:
            raise Refused(403, "not signed")
        _, _, owner, name, oid, *part = path.split("/")
        repo = self.repos[f"{owner}/{name}"]
        with self.lock:
            stall = self.stall_after is not None and len(self.received) >= self.stall_after
            self.stalled += stall
            if not stall:
                return self.keep(repo, oid, part, "complete" in query, body)
        self.go_on.wait()
        raise Refused(500, "it went on too late")

    def keep(
        self, repo: Repo, oid: str, part: list[str], complete: bool, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if part:
            repo.parts.setdefault(oid, {})[int(part[0])] = body
            return 200, b"", {"etag": f'"{len(body)}"'}
        if complete:
            told = {one["partNumber"] for one in json.loads(body)["parts"]}
            parts = repo.parts.pop(oid)
            if told != set(parts):
                raise Refused(400, "parts are missing")
            body = b"".join(content for _, content in sorted(parts.items()))
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "that is another object")
        repo.objects[oid] = body
        self.received.append(oid)
        return 200, {}, {}

    def commit(self, name: str, repo: Repo, branch: str, lines: list[dict]) -> tuple[int, Any, dict[str, str]]:
        if branch not in repo.branches:
            raise Refused(404, f"no branch {branch}", "RevisionNotFound")
        header, *operations = lines
        if header["value"].get("parentCommit", repo.branches[branch]) != repo.branches[branch]:
            raise Refused(412, f"A commit has happened since. {self.words}")
        files = dict(repo.files(branch))
        for operation in operations:
            value = operation["value"]
            match operation["key"]:
                case "file" if not LARGE.search(value["path"]):
                    files[value["path"]] = b64decode(value["content"])
                case "lfsFile" if value["oid"] in repo.objects:
                    files[value["path"]] = repo.objects[value["oid"]]
                case "deletedFile" if value["path"] in files:
                    del files[value["path"]]
                case kind:
                    raise Refused(400, f"can't commit {kind} {value['path']}")
        commit = repo.add(branch, files, header["value"]["summary"])
        return 200, {"commitUrl": f"{self.url}/datasets/{name}/commit/{commit}", "commitOid": commit}, {}


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _ref(kind: str, name: str, commit: str) -> dict[str, str]:
    folder = {"branches": "heads", "tags": "tags"}.get(kind, kind)
    return {"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": commit}


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": git_sha1(content)}
    if LARGE.search(path):
        pointer = f"version 1\noid sha256:{hashlib.sha256(content).hexdigest()}\nsize {len(content)}\n".encode()
        entry["oid"] = git_sha1(pointer)
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": len(pointer)}
    return entry
