"""Several machines that work on one project folder: `data/cluster.yaml`. Without the file a project is one machine's.

Nothing here is part of what is measured: the same project has the same tables on any number of machines.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, Section, parse, read_yaml

SCHEME = "postgresql+psycopg2://"
FILE = "cluster.yaml"


GB = 10**9  # bytes
OF_KUBERNETES = ("cpu", "gpu", "memory")  # what may be named without a domain there
PARTS = ("cpu", "memory")  # what may be a part of one there

Pool = Literal["teacher", "judge", "sandbox", "gpu", "free"]
Resource = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_./-]*$")]
Amount = Annotated[float, Field(gt=0)]
# The parts of a job, as dagster-k8s calls them.
RawConfig = Literal[
    "container_config", "pod_template_spec_metadata", "pod_spec_config", "job_config", "job_metadata", "job_spec_config"
]
Named = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]  # as Kubernetes names things


class Kubernetes(Section):
    """Runs as jobs of Kubernetes, each in a pod of its own. They are asked for by the kubeconfig of `am`, or in a pod
    by its service account."""

    # the image, of deploy/Dockerfile or another with `am-assets[kubernetes]` of the same code, and `python` in its path
    image: Annotated[str, Field(pattern=r"^\S+$")]
    # the namespace of jobs, and of all that they name
    namespace: Named = "default"
    # what pods run as: it needs leave for jobs too where partitions are divided or `apply_recipe` is used. Null: the
    # namespace's default
    service_account: Named | None = None
    # secrets whose keys become environment variables of pods: AM_DATABASE_URL, those of models and store
    env_secrets: list[Named] = Field(default_factory=list)
    # config maps likewise, for what is no secret
    env_config_maps: list[Named] = Field(default_factory=list)
    # volumes of pods, in Kubernetes' own words: the project's folder, at the path that it has where `am` runs
    volumes: list[dict[str, Any]] = Field(default_factory=list)
    # where these are, likewise: [{name: project, mountPath: /project}]
    volume_mounts: list[dict[str, Any]] = Field(default_factory=list)
    # whatever else, as dagster-k8s has it: {pod_spec_config: {nodeSelector: {...}, imagePullSecrets: [...]}}. Nothing
    # secret: it stands in each job
    run_k8s_config: dict[RawConfig, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_values(self) -> Self:
        for one in self.run_k8s_config.get("container_config", {}).get("env", []):
            if not isinstance(one, dict) or "value" in one:
                raise ValueError(
                    "run_k8s_config.container_config.env: values would stand in each job for all to read: put them"
                    " into a secret or a config map, and name it in env_secrets or env_config_maps"
                )
        return self


class Launcher(Section):
    """The cluster that carries out runs, Ray or Kubernetes; `am` and the daemon submit them."""

    # the address of Ray's jobs, http://host:8265 by default on its head; without user and password
    ray: Annotated[str, Field(pattern=r"^https?://[^\s@/]+/?$")] | None = None
    # a Kubernetes cluster, instead of Ray
    kubernetes: Kubernetes | None = None
    # runs of an apply at the same time, and as many of the daemon: at most what the machines have room for
    runs: Annotated[int, Field(ge=1)] = 4
    # what a run of a pool takes of its machine, {gpu: {cpu: 2, gpu: 8}, sandbox: {docker: 1}}: cpu, gpu, memory (GB, of
    # 10^9 bytes), and whatever else machines of the cluster were given; on Kubernetes by their whole name,
    # example.com/docker. `free` are runs of no pool. One cpu where nothing is said
    resources: dict[Pool, dict[Resource, Amount]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.ray is None) == (self.kubernetes is None):
            raise ValueError("name either the address of Ray, `ray`, or what Kubernetes takes, `kubernetes`")
        return self

    @model_validator(mode="after")
    def _as_kubernetes_counts(self) -> Self:
        for pool, name, amount in ((pool, *one) for pool, has in self.resources.items() for one in has.items()):
            if self.kubernetes and name not in OF_KUBERNETES and "/" not in name:
                raise ValueError(f"resources.{pool}.{name}: Kubernetes names it with its domain, as example.com/{name}")
            if self.kubernetes and name not in PARTS and amount % 1:
                raise ValueError(f"resources.{pool}.{name}: Kubernetes gives whole ones, and no {amount:g}")
        return self

    @property
    def field(self) -> str:
        """The field that says what carries runs out."""
        return "ray" if self.ray else "kubernetes"

    def takes(self, pools: Collection[str]) -> dict[str, float]:
        """What a run of these pools takes: of each resource the most that one of them does."""
        found: dict[str, float] = {}
        for pool in pools or ["free"]:
            for name, amount in self.resources.get(pool, {}).items():  # type: ignore[call-overload]
                found[name] = max(found.get(name, 0.0), amount)
        return found or {"cpu": 1.0}


class Cluster(Section):
    """What machines share beside the folder of the project."""

    # the environment variable with the address of Postgres: postgresql+psycopg2://user:password@host:5432/name
    database_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "AM_DATABASE_URL"
    # the S3 store of tables, memo, releases and checkpoints, s3://bucket/prefix; each machine has a folder of its own
    # then. Credentials come from the environment, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Null: all machines see
    # one folder
    store: Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9!_.*'()-]+)*/?$")] | None = None
    # the address of a store that is not Amazon's, http://host:8333
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s@/]+/?$")] | None = None
    # GB on a machine, of 10^9 bytes, that copies of what is in the store may take: those read longest ago are removed,
    # and fetched again when needed. Null: no limit but the disk's
    cache_gb: Annotated[float, Field(gt=0)] | None = None
    # dollars that all machines together may spend on models, from the first on; raise it to go on. Null: no such limit
    budget_usd: Annotated[float, Field(ge=0)] | None = None
    # where runs are carried out, if not on the machine that asks for them. Null: there
    launcher: Launcher | None = None

    def address(self) -> str:
        """The address of Postgres, which the environment names; `ConfigError` where it does not, or in another form."""
        address = os.environ.get(self.database_env, "")
        if not address:
            raise ConfigError(
                f"{FILE}: database_env: the environment variable {self.database_env} is not set: export it on every"
                f" machine, as {SCHEME}user:password@host:5432/name"
            )
        if not address.startswith(SCHEME):
            raise ConfigError(f"{FILE}: database_env: {self.database_env} has to begin with {SCHEME}")
        return address


def load_cluster(path: Path) -> Cluster | None:
    """The file's content; None where there is no file. `ConfigError` names the file and the field."""
    return parse(Cluster, read_yaml(path), str(path)) if path.exists() else None
