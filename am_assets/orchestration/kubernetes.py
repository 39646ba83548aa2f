"""Runs as jobs of Kubernetes: dagster-k8s' run launcher, with what all clusters have in common (`remote.py`)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg
from dagster_k8s import DagsterK8sJobConfig, K8sRunLauncher, construct_dagster_k8s_job
from dagster_k8s.job import UserDefinedDagsterK8sConfig
from kubernetes.config import ConfigException

from am_assets.config.cluster import FILE, GB, Kubernetes
from am_assets.config.files import ConfigError
from am_assets.engines.kubernetes_api import KubernetesApi, kubeconfig
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, WorkerStatus
from am_assets.orchestration.remote import SUCCEEDED, RemoteLauncher, cluster_here, environment, job_name, takes
from am_assets.project import data_folder
from am_assets.runtime.quoting import quoted

GPU = "nvidia.com/gpu"
LEAVE = "give its user leave for jobs there, or correct namespace and kubeconfig"


class KubernetesLauncher(RemoteLauncher, K8sRunLauncher):
    """Named in dagster.yaml where the launcher of cluster.yaml is Kubernetes; all of its settings are there."""

    name = "Kubernetes"
    remedy = "see that its server runs, that this machine may reach it, and that KUBECONFIG names the right one"
    python = "python"  # of the image

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "KubernetesLauncher":
        file = kubeconfig()
        asked = {"job_namespace": _settings().namespace, "kubeconfig_file": file, "load_incluster_config": file is None}
        own = {"service_account_name": "", "instance_config_map": "", "dagster_home": ""}  # of its jobs, not of ours
        try:
            return cls(**{"inst_data": inst_data, **asked, **own})
        except ConfigException as error:
            raise ConfigError(
                f"{data_folder() / FILE}: launcher.kubernetes: no way to its server is known here ({quoted(error)}):"
                " name a kubeconfig in KUBECONFIG"
            ) from None

    @cached_property
    def api(self) -> KubernetesApi:
        return KubernetesApi(_settings().namespace)

    def silence(self) -> str | None:
        return self.api.silence()

    def fault(self) -> str | None:
        """Asked by having the server examine a job, of which none is made."""
        if fault := super().fault():
            return fault
        try:
            self.api.create(job(_settings(), "am-assets-examined", ["true"], {}, {"cpu": 1.0}), dry_run=True)
        except RuntimeError as error:
            return f"Kubernetes refuses jobs: {error}: {LEAVE}"
        except OSError as error:
            return f"{error}: {self.remedy}"
        return None

    def submit(self, name: str, command: Sequence[str], run: dg.DagsterRun) -> None:
        labels = {"dagster/run-id": run.run_id, "dagster/job": run.job_name}
        self.api.create(job(_settings(), name, command, environment(run), takes(run), labels))

    def stop(self, name: str) -> None:
        self.api.delete(name)

    def ended(self, name: str) -> str | None:
        state = self.api.state(name)
        return (SUCCEEDED if state.well else state.why or "FAILED") if state.ended else None

    def job_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        state = self.api.state(name := job_name(run.run_id))
        if state.well:
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        if state.stuck:
            self.api.delete(name)  # it would hold its place on a node
            return CheckRunHealthResult(WorkerStatus.FAILED, state.why, transient=False)
        if not state.there:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, state.why)
        if state.ended:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"it is gone, with its pod ({state.why or 'no word'})")
        return CheckRunHealthResult(WorkerStatus.RUNNING, state.why or None)

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Asked as the daemon gives a run up: a pod that does not start would hold its place on a node."""
        told = K8sRunLauncher.get_run_worker_debug_info(self, run, include_container_logs)
        state = self.api.state(name := job_name(run.run_id))
        if not state.began and not state.ended:
            self.api.delete(name)
        return told

    def last_words(self, run: dg.DagsterRun) -> str:
        try:
            return self.api.state(job_name(run.run_id)).why
        except (OSError, RuntimeError):
            return ""


def job(
    settings: Kubernetes,
    name: str,
    command: Sequence[str],
    env: Mapping[str, str],
    takes: Mapping[str, float],
    labels: Mapping[str, str] | None = None,
) -> Any:
    """A job as Kubernetes takes it, of one pod that is begun once. `ConfigError` where the settings have words that it
    does not know."""
    own = {"env": [{"name": name, "value": value} for name, value in env.items()]}
    raw = settings.run_k8s_config
    try:
        user = UserDefinedDagsterK8sConfig.from_dict(raw)
        container = {**user.container_config, "env": [*user.container_config.get("env", []), *own["env"]]}
        container["resources"] = _resources(container.get("resources") or {}, takes)
        return construct_dagster_k8s_job(
            DagsterK8sJobConfig(
                job_image=settings.image,
                image_pull_policy="IfNotPresent",
                service_account_name=settings.service_account,
                env_secrets=settings.env_secrets,
                env_config_maps=settings.env_config_maps,
                volumes=settings.volumes,
                volume_mounts=settings.volume_mounts,
            ),
            list(command),
            name,
            user_defined_k8s_config=user._replace(container_config=container),
            pod_name=name,
            component="run_worker",
            labels=labels,
        )
    except Exception as error:  # of all kinds, with names of Kubernetes' classes
        raise ConfigError(f"{data_folder() / FILE}: launcher.kubernetes: {quoted(error)}") from None


def _resources(given: Mapping[str, Any], takes: Mapping[str, float]) -> dict[str, Any]:
    """What a pod asks for: parts of a processor, which it may exceed, and what it gets and no more."""
    asked = {GPU if name == "gpu" else name: _quantity(name, amount) for name, amount in takes.items()}
    most = {name: amount for name, amount in asked.items() if name != "cpu"}
    return {"requests": {**(given.get("requests") or {}), **asked}, "limits": {**(given.get("limits") or {}), **most}}


def _quantity(name: str, amount: float) -> str:
    return f"{amount * GB:.0f}" if name == "memory" else f"{amount:g}"


def _settings() -> Kubernetes:
    launcher = cluster_here().launcher
    if launcher is None or launcher.kubernetes is None:
        raise ConfigError(
            f"{data_folder() / FILE}: launcher.kubernetes: it is gone, and instance/dagster.yaml has it: restart UI and"
            " daemon"
        )
    return launcher.kubernetes
