"""Jobs of Kubernetes: beginning and ending them, and what became of their pods, in words that say what to do.

Its own client raises errors that are pages long, and knows no word for a pod that will never start.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, TypeVar

from am_assets.runtime.quoting import quoted

TRIES, AGAIN_SECONDS = 4, 3.0  # of beginning a job
FALTERS = (429, 500, 502, 503, 504)  # what a server answers that is there and can't
WITHIN = {"_request_timeout": 10.0}
STUCK_SECONDS = 60.0  # that a pod may be refused its image or its settings, as registries falter
START_SECONDS = 840.0  # that a pod may wait for a node
LOG_LINES = 50
# Why a container does not start, where that does not change by itself: what to do.
STUCK = {
    "ErrImagePull": "see that the image is there, and that the namespace may pull it",
    "ImagePullBackOff": "see that the image is there, and that the namespace may pull it",
    "ErrImageNeverPull": "see that the image is there, and that the namespace may pull it",
    "InvalidImageName": "correct the image's name",
    "CreateContainerConfigError": "see that the secrets and config maps that it names are in the namespace",
    "CreateContainerError": "see what is wrong with its volumes and settings",
    "RunContainerError": "see that the image has `python` in its path",
    "StartError": "see that the image has `python` in its path",
    "ContainerCannotRun": "see that the image has `python` in its path",
}
NEEDED = (("create", "jobs"), ("get", "jobs"), ("delete", "jobs"), ("list", "pods"), ("get", "pods/log"))
T = TypeVar("T")


class Refused(RuntimeError):
    """The server does not do what it is asked to."""


class Missing(Refused):
    """It has no such thing."""


class There(Refused):
    """It has one of that name."""


KINDS = {404: Missing, 409: There}


@dataclass(frozen=True)
class State:
    """What became of a job. `why` it ended, or does not begin; empty where nothing is to be said."""

    there: bool = True
    ended: bool = False
    well: bool = False
    began: bool = False
    stuck: bool = False  # it would come to the same again
    why: str = ""


class KubernetesApi:
    """The requests of one namespace. `OSError` where the server does not answer, `RuntimeError` where it refuses."""

    def __init__(self, namespace: str):
        self.namespace = namespace

    @cached_property
    def client(self) -> Any:
        """By the service account of a pod, or by the kubeconfig."""
        import kubernetes
        from kubernetes.config import ConfigException

        configuration = kubernetes.client.Configuration()
        configuration.retries = False  # of urllib3, which logs each
        try:
            if (file := kubeconfig()) is None:
                kubernetes.config.load_incluster_config(client_configuration=configuration)
            else:
                kubernetes.config.load_kube_config(file, client_configuration=configuration)
        except (ConfigException, OSError) as error:
            raise OSError(f"no kubeconfig can be used ({quoted(error)}): name one in KUBECONFIG") from None
        return kubernetes.client.ApiClient(configuration)

    @property
    def address(self) -> str:
        return str(self.client.configuration.host)

    def silence(self) -> str | None:
        """Why its server can't be asked; None where it answers."""
        try:
            self.version()
        except OSError as error:
            return str(error)
        except RuntimeError:  # it answers
            return None
        return None

    def version(self) -> str:
        import kubernetes

        return str(self._ask(lambda: kubernetes.client.VersionApi(self.client).get_code(**WITHIN)).git_version)

    def refused(self) -> list[str]:
        """What this user may not do of what is needed."""
        return [f"{verb} {what}" for verb, what in NEEDED if not self._may(verb, what)]

    def _may(self, verb: str, what: str) -> bool:
        import kubernetes.client as k

        resource, _, part = what.partition("/")
        group = "batch" if resource == "jobs" else ""
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": resource, "subresource": part}
        spec = k.V1SelfSubjectAccessReviewSpec(resource_attributes=k.V1ResourceAttributes(**asked))
        review = k.V1SelfSubjectAccessReview(spec=spec)
        api = k.AuthorizationV1Api(self.client)
        told = self._ask(lambda: api.create_self_subject_access_review(review, **WITHIN))
        return bool(told.status.allowed)

    def create(self, job: Any, dry_run: bool = False) -> None:
        """Begin a job, of a name that no other has; `dry_run`: only have it examined."""
        options = {"dry_run": "All"} if dry_run else {}
        for left in reversed(range(TRIES)):
            with suppress(There):  # since a try before, of which nothing was heard
                try:
                    self._ask(lambda: self._batch.create_namespaced_job(self.namespace, job, **options, **WITHIN))
                except OSError:
                    if not left:
                        raise
                    time.sleep(AGAIN_SECONDS)
                    continue
            return

    def delete(self, name: str) -> None:
        """End a job, if it is there, and its pods."""
        options = {"propagation_policy": "Background"}
        self._found(lambda: self._batch.delete_namespaced_job(name, self.namespace, **options, **WITHIN))

    def log(self, name: str) -> list[str]:
        """The last lines that a job's pod said; none where it did not start, or its node is gone."""
        pod = self._pod(name)
        if pod is None:
            return []
        options = {"tail_lines": LOG_LINES, "_preload_content": False}  # else JSON comes back as Python
        read = self._core.read_namespaced_pod_log
        try:
            told = self._ask(lambda: read(pod.metadata.name, self.namespace, **options, **WITHIN))
        except (OSError, RuntimeError):
            return []
        return str(told.data.decode(errors="replace")).splitlines()

    def state(self, name: str) -> State:
        """What became of a job."""
        got = self._found(lambda: self._batch.read_namespaced_job_with_http_info(name, self.namespace, **WITHIN))
        if got is None:
            return State(there=False, ended=True, why="Kubernetes has no such job: it was deleted")
        job, _, headers = got
        pod = self._pod(name)
        ended = {one.type for one in job.status.conditions or [] if one.status == "True"} & {"Complete", "Failed"}
        if ended or (job.status.failed and not job.status.active):
            why, stuck = _end(pod, self.log(name) if pod else [])
            return State(ended=True, well="Complete" in ended, stuck=stuck, why=why)
        if pod is not None and pod.status.phase not in (None, "Pending"):
            return State(began=True)
        why, stuck = self._obstacle(name, job, pod)
        waited = (_date(headers) - job.metadata.creation_timestamp).total_seconds()
        if waited > START_SECONDS:
            late = f"it did not start within {START_SECONDS / 60:.0f} minutes"
            return State(stuck=True, why=f"{late}: {why}" if why else late)
        return State(stuck=stuck and waited > STUCK_SECONDS, why=why)

    def _obstacle(self, name: str, job: Any, pod: Any) -> tuple[str, bool]:
        """What keeps a pod from starting, and whether that stays so; empty where it is under way."""
        if pod is None:
            return self._warning(name), False
        for one in pod.status.conditions or []:
            if one.type == "PodScheduled" and one.status == "False":
                return f"no node takes it, which asks for {_asked(pod)} ({quoted(one.message or one.reason)})", False
        for reason, message in _waits(pod):
            if reason in STUCK:
                return f"{pod.spec.containers[0].image} does not start ({reason}{message}): {STUCK[reason]}", True
        return self._warning(pod.metadata.name), False

    def _warning(self, name: str) -> str:
        """The last warning about an object, if this user may read it."""
        select = f"involvedObject.name={name},type=Warning"
        try:
            told = self._ask(lambda: self._core.list_namespaced_event(self.namespace, field_selector=select, **WITHIN))
        except RuntimeError:
            return ""
        return quoted(told.items[-1].message) if told.items else ""

    def _pod(self, name: str) -> Any:
        listed = self._core.list_namespaced_pod
        pods = self._ask(lambda: listed(self.namespace, label_selector=f"job-name={name}", **WITHIN)).items
        return max(pods, key=lambda pod: pod.metadata.creation_timestamp, default=None)

    @cached_property
    def _batch(self) -> Any:
        import kubernetes

        return kubernetes.client.BatchV1Api(self.client)

    @cached_property
    def _core(self) -> Any:
        import kubernetes

        return kubernetes.client.CoreV1Api(self.client)

    def _found(self, act: Callable[[], T]) -> T | None:
        """What `act` returns; None where there is no such thing."""
        try:
            return self._ask(act)
        except Missing:
            return None

    def _ask(self, act: Callable[[], T]) -> T:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return act()
        except ApiException as error:
            if not error.status or error.status in FALTERS:
                raise OSError(f"Kubernetes does not answer at {self.address} ({_said(error)})") from None
            raise KINDS.get(error.status, Refused)(_said(error)) from None
        except HTTPError as error:
            raise OSError(f"Kubernetes does not answer at {self.address} ({quoted(error)})") from None


def kubeconfig() -> str | None:
    """The file that says where the server is, and who asks; None where the service account of this pod does."""
    named = os.environ.get("KUBECONFIG")
    return named or (None if "KUBERNETES_SERVICE_HOST" in os.environ else "~/.kube/config")


def _said(error: Any) -> str:
    """What the server says of a refusal."""
    try:
        return quoted(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return quoted(f"{error.status} {error.reason}")


def _date(headers: Mapping[str, str]) -> datetime:
    """The time by the server's clock: this machine's may differ."""
    return parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)


def _end(pod: Any, log: list[str]) -> tuple[str, bool]:
    """Why a pod ended, and whether it would again at once."""
    if pod is None:
        return "its pod is gone", False
    for one in pod.status.container_statuses or []:
        if (end := one.state.terminated) and end.exit_code:
            if end.reason == "OOMKilled":
                return "OOMKilled: it took more memory than its pod or its node has", False
            if end.reason in STUCK:
                return f"{one.image} does not start ({quoted(end.message or end.reason)}): {STUCK[end.reason]}", True
            return f"exit code {end.exit_code}" + (f": {quoted(log[-1])}" if log else ""), False
    return quoted(": ".join(filter(None, [pod.status.reason, pod.status.message]))), False


def _waits(pod: Any) -> Iterator[tuple[str, str]]:
    """The reasons why containers wait, and what is said of them."""
    for one in [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]:
        if waiting := one.state.waiting:
            yield waiting.reason, f": {quoted(waiting.message)}" if waiting.message else ""


def _asked(pod: Any) -> str:
    asked = pod.spec.containers[0].resources.requests or {}
    return ", ".join(f"{name} {amount}" for name, amount in asked.items())
