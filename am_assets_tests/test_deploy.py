"""The files of deploy/: what they repeat of the project is as it is there, and nothing is bound beyond loopback."""

import re
from importlib import import_module
from pathlib import Path

import yaml

from am_assets.config.cluster import load_cluster

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DAGSTER, RAY = (yaml.safe_load((DEPLOY / "k8s" / f"{chart}.yaml").read_text()) for chart in ("dagster", "ray"))


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


def test_kubernetes_has_one_image_the_launcher_and_its_address() -> None:
    launcher = DAGSTER["runLauncher"]["config"]["customRunLauncher"]
    assert getattr(import_module(launcher["module"]), launcher["class"])
    assert launcher["config"]["ray"]["address"] == f"http://{RAY['fullnameOverride']}-head-svc:8265"
    deployment = DAGSTER["dagster-user-deployments"]["deployments"][0]
    images = [one["image"] for one in (DAGSTER["dagsterWebserver"], DAGSTER["dagsterDaemon"], deployment, RAY)]
    assert all(image == images[0] for image in images)
