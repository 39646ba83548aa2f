"""Runs as jobs of Kubernetes, of which a stand-in is here (`pods.py`): what an apply asks for, and its bytes; pods that
are killed, canceled or never start; what is said of wrong settings."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from am_assets.config.cluster import Kubernetes, load_cluster
from am_assets.config.files import ConfigError
from am_assets.engines.kubernetes_api import KubernetesApi
from am_assets.orchestration.instance import prepare_environment
from am_assets.orchestration.tasks import MEASURING
from am_assets.planning.elsewhere import elsewhere
from am_assets.planning.steps import Outcome
from am_assets.planning.workers import tried
from am_assets.project import project as current
from am_assets.runtime import progress
from am_assets_tests.cluster.pods import NAMESPACE, Cluster, serving
from am_assets_tests.cluster.test_cluster import tables
from am_assets_tests.cluster.test_ray import POOL, free_port, spawned
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.promised import without_postgres
from am_assets_tests.services import am, until

pytestmark = pytest.mark.slow
IMAGE = "registry.example/am:1"
PASSWORD = "not-for-any-job"
PLAIN = {"container_config": {"env": [{"name": "KEY", "value": PASSWORD}]}}


@pytest.fixture
def project(tmp_path: Path, models: Models, address: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("TEST_MODEL_KEY", PASSWORD)
    monkeypatch.setenv("AM_DATABASE_URL", address.replace("am@", f"am:{PASSWORD}@"))
    return small_project(tmp_path / "data", models, questions=6, shards=1, start_timeout=120)


@pytest.fixture
def cluster(project: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    try:
        import dagster_k8s  # noqa: F401
    except ImportError:
        without_postgres("dagster-k8s is not here: pip install am-assets[kubernetes]")
    secret = {name: os.environ[name] for name in ("AM_DATABASE_URL", "TEST_MODEL_KEY")}
    monkeypatch.setenv("KUBECONFIG", str(config := project.folder.parent / "kubeconfig"))
    with serving({"am-assets": secret}) as cluster:
        cluster.kubeconfig(config)
        launched(project)
        yield cluster
    current.cache_clear()


def launched(project: Desk, resources: dict | None = None, **more: object) -> None:
    kubernetes = {"image": IMAGE, "namespace": NAMESPACE, "env_secrets": ["am-assets"], **more}
    project.write("cluster.yaml", {"launcher": {"kubernetes": kubernetes, "runs": 2, "resources": resources or {}}})


def test_an_apply_makes_what_one_machine_makes_and_a_pod_that_is_killed_is_made_again(
    project: Desk, cluster: Cluster, tmp_path: Path, models: Models
) -> None:
    claim = {"name": "project", "persistentVolumeClaim": {"claimName": "am"}}
    mount, apart = {"name": "project", "mountPath": str(project.folder)}, {"seccompProfile": {"type": "Unconfined"}}
    raw = {"pod_spec_config": {"nodeSelector": {"a": "b"}}, "container_config": {"securityContext": apart}}
    launched(project, {"free": {"cpu": 0.5, "memory": 2}}, volumes=[claim], volume_mounts=[mount], run_k8s_config=raw)
    applied, said = spawned(project)
    begun = ""
    while "raw_pool[asked0]: on dagster-run-" not in begun:
        begun += (line := said.readline())
        assert line, begun
    killed = next(job for job in cluster.begun if f"raw_pool[asked0]: on {job.pod}" in begun)
    killed.kill()
    told = begun + applied.communicate(timeout=300)[0]
    assert applied.returncode == 0, told
    assert "(exit code 137): it is submitted again" in told, told
    assert len(cluster.begun) == 3
    until(lambda: all(job.ended() == 0 for job in cluster.begun if job is not killed), "its pods end", 30)
    alone = small_project(tmp_path / "alone", models, questions=6, shards=1, start_timeout=120)
    assert am(alone.folder, *POOL).returncode == 0
    assert tables(project.folder) == tables(alone.folder)
    for job in cluster.begun:
        assert PASSWORD not in json.dumps(job.body) and PASSWORD not in job.log.read_text()
        pod = job.body["spec"]["template"]["spec"]
        assert pod["volumes"] == [claim] and pod["nodeSelector"] == {"a": "b"}
        assert job.container["volumeMounts"] == [mount] and job.container["securityContext"] == apart
        assert job.container["resources"] == {
            "requests": {"cpu": "0.5", "memory": "2000000000"},
            "limits": {"memory": "2000000000"},
        }
        assert (job.body["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    settings = yaml.safe_load((project.folder / "instance" / "dagster.yaml").read_text())
    assert settings["run_launcher"]["class"] == "KubernetesLauncher"


def test_check_looks_from_a_pod_and_ctrl_c_ends_what_is_there(project: Desk, cluster: Cluster) -> None:
    check = am(project.folder, "cluster", "check", "--json")
    found = {one["name"]: one for one in json.loads(check.stdout)["findings"]}
    assert check.returncode == 0, check.stdout
    [looked] = cluster.begun
    assert found["kubernetes"]["found"].startswith("stand-in at http://127.0.0.1:") and found["leave"]["there"]
    pools = "(pools teacher, judge, sandbox, gpu, free)"
    assert found[f"on {looked.pod} {pools}"]["found"].endswith("packages as here") and not cluster.jobs
    applied, said = spawned(project)
    until(lambda: "raw_pool[asked0]: " in said.readline(), "it is submitted")
    until(lambda: len(cluster.begun) == 3, "its pods are there")
    applied.send_signal(signal.SIGINT)
    told = applied.communicate(timeout=60)[0]
    assert applied.returncode == 130 and "2 runs on the cluster canceled" in told, told
    until(lambda: all(job.ended() is not None for job in cluster.begun), "its pods end", 30)


def test_what_never_starts_is_said_and_not_waited_for_for_ever(
    project: Desk, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AM_DATA", str(project.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(project.folder / "instance"))
    monkeypatch.setattr("am_assets.planning.elsewhere.HEALTH_SECONDS", 0.0)
    prepare_environment(project.folder / "instance")
    said: list[str] = []

    def failed() -> list[str]:
        with project.instance() as instance, progress.listening_to_messages(said.append):
            there = elsewhere(project.open(["plain"], "raw_pool", instance), current())
            assert there is not None
            ends = [one for one in there.apply(lambda: {}) if isinstance(one, Outcome)]
            _tasks(instance, there.cluster, cluster)
        assert not cluster.jobs and {one.result for one in ends} == {"failed"}
        return [one.error for one in ends]

    monkeypatch.setattr("am_assets.engines.kubernetes_api.AGAIN_SECONDS", 0.1)
    cluster.age, cluster.falters = 61.0, 1
    cluster.sick = _waiting("ImagePullBackOff", "Back-off pulling image")
    why = "(ImagePullBackOff: Back-off pulling image): see that the image is there, and that the namespace may pull it"
    assert failed() == [f"{IMAGE} does not start {why}"] * 2
    cluster.age, cluster.sick = 837.0, None
    launched(project, {"free": {"cpu": 64, "gpu": 8}})
    lacks = "no node takes it, which asks for cpu 64, nvidia.com/gpu 8 (0/1 nodes are available: 1 Insufficient cpu.)"
    assert failed() == [f"it did not start within 14 minutes: {lacks}"] * 2
    assert f"raw_pool[tasks] waits: {lacks}" in said

    def refused() -> str:
        with project.instance() as instance, pytest.raises(ConfigError) as raised:
            elsewhere(project.open(["plain"], "raw_pool", instance), current())
        return str(raised.value)

    def looked() -> list[str]:
        launcher = load_cluster(project.folder / "cluster.yaml").launcher
        return [one.found for one in tried(launcher, project.folder)]

    monkeypatch.setattr("am_assets.planning.pods.SECONDS", 0.0)
    launched(project, {"gpu": {"gpu": 8}})
    lacks = (
        "no node takes it, which asks for nvidia.com/gpu 8 (0/1 nodes are available: 1 Insufficient nvidia.com/gpu.)"
    )
    assert f"a job that looks from there: {lacks}" in looked() and not cluster.jobs
    begun = len(cluster.begun)
    launched(project, namespace="none")
    assert 'launcher.kubernetes: Kubernetes refuses jobs: namespaces "none" not found: give its user' in refused()
    launched(project, volumes=[{"name": "project", "claim": "am"}])
    assert "launcher.kubernetes: Unexpected keys in model class V1Volume: {'claim'}" in refused()
    launched(project)
    config = Path(os.environ["KUBECONFIG"])
    cluster.kubeconfig(config, user="weak")
    assert 'Kubernetes refuses jobs: jobs.batch is forbidden: User "weak" cannot create resource "jobs"' in refused()
    assert looked()[-1] == "may not create jobs, get jobs, delete jobs, list pods, get pods/log"
    cluster.kubeconfig(config, port=free_port())
    assert "Kubernetes does not answer at http://127.0.0.1:" in refused()
    config.unlink()
    assert "no way to its server is known here" in refused()
    assert len(cluster.begun) == begun


def _waiting(reason: str, message: str) -> dict:
    return {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}


def _failed(reason: str, code: int) -> dict:
    ended = {"terminated": {"reason": reason, "exitCode": code, "message": "exec: python"}}
    return {"phase": "Failed", "containerStatuses": [{"state": ended}]}


@pytest.mark.parametrize(
    ("age", "sick", "stuck", "why"),
    [
        (0, _waiting("ContainerCreating", ""), False, ""),
        (0, _waiting("ErrImagePull", "no route"), False, f"{IMAGE} does not start (ErrImagePull: no route): see that"),
        (61, _waiting("ErrImagePull", "no route"), True, f"{IMAGE} does not start (ErrImagePull: no route): see that"),
        (
            61,
            _waiting("CreateContainerConfigError", "none"),
            True,
            "(CreateContainerConfigError: none): see that",
        ),
        (841, _waiting("ContainerCreating", ""), True, "it did not start within 14 minutes"),
        (0, _failed("OOMKilled", 137), False, "OOMKilled: it took more memory than its pod or its node has"),
        (0, _failed("StartError", 128), True, "(exec: python): see that the image has `python` in its path"),
        (0, _failed("Error", 3), False, "exit code 3"),
        (0, {**_failed("Error", 0), "reason": "Evicted", "message": "low on disk"}, False, "Evicted: low on disk"),
    ],
)
def test_what_becomes_of_a_pod_is_said_in_words(
    age: float, sick: dict, stuck: bool, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_k8s")
    from am_assets.orchestration.kubernetes import job

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    with serving({}) as cluster:
        cluster.kubeconfig(tmp_path / "kubeconfig")
        cluster.age, cluster.sick = age, sick
        api = KubernetesApi(NAMESPACE)
        api.create(job(Kubernetes(image=IMAGE, namespace=NAMESPACE), "one", ["true"], {}, {"cpu": 0.1}))
        state = api.state("one")
    assert (state.stuck, state.ended, state.well) == (stuck, sick["phase"] == "Failed", False)
    assert why in state.why if why else not state.why


def _tasks(instance: dg.DagsterInstance, launcher: Any, cluster: Cluster) -> None:
    """A task is a job like a run's; what the daemon gives up is removed."""
    run = instance.get_run_by_id(cluster.begun[-1].run)
    told = (run.run_id, "math_verdicts", "tasks", "math")
    launcher.begin_beside(task := "math-01234567-89abcdef", run.run_id, MEASURING, *told)
    guarding = ["am_assets.orchestration.guard", "--task", run.run_id, "python"]
    assert cluster.jobs[task].container["args"][4:8] == guarding and launcher.ended(task) is None
    launcher.stop(task)
    assert launcher.ended(task) == "Kubernetes has no such job: it was deleted"
    launcher.submit(f"dagster-run-{run.run_id}", ["true"], run)
    assert "Pod status: Pending" in launcher.get_run_worker_debug_info(run) and not cluster.jobs


@pytest.mark.parametrize(
    ("launcher", "why"),
    [
        ({}, "name either the address of Ray, `ray`, or what Kubernetes takes, `kubernetes`"),
        ({"ray": "http://h:1", "kubernetes": {"image": "a"}}, "name either the address of Ray"),
        ({"kubernetes": {"image": "a"}, "resources": {"sandbox": {"docker": 1}}}, "domain, as example.com/docker"),
        ({"kubernetes": {"image": "a"}, "resources": {"gpu": {"gpu": 0.5}}}, "gives whole ones, and no 0.5"),
        ({"kubernetes": {"image": "a", "run_k8s_config": PLAIN}}, "values would stand in each job for all to read"),
    ],
)
def test_settings_that_kubernetes_would_not_take_are_refused(launcher: dict, why: str, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(json.dumps({"launcher": launcher}))
    with pytest.raises(ConfigError) as raised:
        load_cluster(file)
    assert why in str(raised.value)
