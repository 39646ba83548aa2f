"""The files of deploy/: what they repeat of the project is as it is there, and nothing is bound beyond loopback."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from am_assets.config.cluster import load_cluster
from am_assets.orchestration.instance import LAUNCHERS

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
K8S = {path.stem: yaml.safe_load(path.read_text()) for path in (DEPLOY / "k8s").glob("*.yaml")}
DAGSTER, RAY = K8S["dagster"], K8S["ray"]


def test_the_image_has_the_versions_that_are_tried() -> None:
    tried = (DEPLOY.parent / "pyproject.toml").read_text() + (DEPLOY.parent / "Makefile").read_text()
    pins = re.findall(r"[\w-]+==[\d.]+", (DEPLOY / "Dockerfile").read_text())
    assert len(pins) == 3 and all(pin in tried for pin in pins)
    assert f"ray[default]=={RAY['head']['rayVersion']}" in tried


def test_addresses_and_secrets_are_those_of_the_services_and_no_port_is_open_to_others() -> None:
    services = COMPOSE["services"]
    cluster = load_cluster(DEPLOY / "cluster.yaml")
    assert cluster and cluster.launcher and cluster.endpoint
    for url, service, port in ((cluster.launcher.ray, "head", 8265), (cluster.endpoint, "store", 8333)):
        assert url == f"http://{service}:{port}" and service in services
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    assert all("network_mode" not in service and "privileged" not in service for service in services.values())
    asked = {*re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text())}
    assert asked == {*re.findall(r"^(\w+)=$", (DEPLOY / ".env.example").read_text(), re.MULTILINE)}


@pytest.mark.parametrize("field", ["ray", "kubernetes"])
def test_kubernetes_has_the_launchers_that_am_writes(field: str) -> None:
    launcher = K8S[f"on-{field}"]["runLauncher"]["config"]["customRunLauncher"]
    written, package = LAUNCHERS[field]
    assert launcher == written | {"config": launcher["config"]}
    if find_spec(package):
        assert getattr(import_module(launcher["module"]), launcher["class"])


def test_kubernetes_has_one_image_one_volume_and_the_address_of_ray() -> None:
    ray = K8S["on-ray"]["runLauncher"]["config"]["customRunLauncher"]["config"]["ray"]
    assert ray["address"] == f"http://{RAY['fullnameOverride']}-head-svc:8265"
    cluster = load_cluster(DEPLOY / "k8s" / "cluster.yaml")
    assert cluster and cluster.launcher and (runs := cluster.launcher.kubernetes)
    deployment = DAGSTER["dagster-user-deployments"]["deployments"][0]
    images = [one["image"] for one in (DAGSTER["dagsterWebserver"], DAGSTER["dagsterDaemon"], deployment, RAY)]
    assert all(image == images[0] for image in images)
    assert runs.service_account == K8S["on-kubernetes"]["global"]["serviceAccountName"]
    assert runs.image == f"{images[0]['repository']}:{images[0]['tag']}"
    assert DAGSTER["dagsterDaemon"]["volumes"][0] in runs.volumes
    assert DAGSTER["dagsterDaemon"]["volumeMounts"][0] in runs.volume_mounts
    assert [{"name": name} for name in runs.env_secrets] == DAGSTER["dagsterDaemon"]["envSecrets"]
