"""Fixtures for tests that need the graph."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from hypothesis import settings

from am_assets.orchestration.schemas import TABLES
from am_assets_tests.counted import Models
from am_assets_tests.desk import CountingProxy, Desk, at_desk
from am_assets_tests.everywhere import everywhere
from am_assets_tests.services import ROOT

# As wide as any line: the console of the command line has the width of when it was first imported.
os.environ["COLUMNS"] = "300"
# No deadline: a busy machine is slow, and no property fails by that. The same examples each time, so that a run says
# something of the change; `--hypothesis-profile explore` looks for others.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that none is left for a single process at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def no_instance_of_another_test() -> Iterator[None]:
    """Dagster keeps the storage of the instance entered last for whoever loads definitions; contexts that end in
    another order than they began leave that of an instance which is gone."""
    from dagster._core.storage.defs_state.base import set_defs_state_storage

    with set_defs_state_storage(None):
        yield


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGINT and SIGTERM raise, each by itself as in a step of Dagster; shells may have SIGINT ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def model_server() -> Iterator[CountingProxy]:
    from am_assets.config.endpoints import Endpoint
    from am_assets.engines.models.bundled import BUNDLED
    from am_assets.engines.serving import lease, server_of

    here = lease(server_of(BUNDLED, Endpoint()))
    proxy = CountingProxy(here.address)
    yield proxy
    proxy.server.shutdown()
    here.release()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed to."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools leaves its build folder beside what it reads
    shutil.copytree(ROOT / "am_assets", source / "am_assets", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("am_assets-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """Model servers that count what they are asked."""
    models = Models()
    yield models
    models.stop()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_server: CountingProxy) -> Desk:
    return everywhere(at_desk(tmp_path, model_server, monkeypatch), monkeypatch)


@pytest.fixture
def untaught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with open questions and their published answers, and no model anywhere to ask."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    desk.write("sources.yaml", {"open": desk.source("open", 0)})
    (tmp_path / "assets" / "teacher_requests").mkdir(parents=True)
    TABLES["teacher_requests"].create_empty().write_parquet(tmp_path / "assets" / "teacher_requests" / "open.parquet")
    return everywhere(desk, monkeypatch)


def shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder of all processes that tests run in; what is put there is made under a lock."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of models of a project, with the embedded student in it."""
    from am_assets.engines.models.bundled import BUNDLED
    from am_assets.engines.models.student import student_folder

    folder = shared(tmp_path_factory, "models")
    with FileLock(f"{folder}.lock"):
        student_folder(BUNDLED, folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, model_server: CountingProxy) -> Path:
    """A project brought up to date down to the dataset, for tests to take a copy of. Made once for all processes."""
    folder = shared(tmp_path_factory, "finished")
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made = folder.with_suffix(".part")
            made.mkdir()
            with pytest.MonkeyPatch.context() as patch:
                outcomes = at_desk(made, model_server, patch).apply(select="+sft_dataset")
            assert {outcome.result for outcome in outcomes.values()} == {"done"}, [
                o.error for o in outcomes.values() if o.error
            ]
            made.rename(folder)
    return folder


@pytest.fixture
def applied(finished: Path, tmp_path: Path, model_server: CountingProxy, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy of the finished project, with nothing asked of the model yet."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    model_server.requests = 0
    desk = at_desk(tmp_path, model_server, monkeypatch)
    desk.write_endpoints(model_server.url)  # it may have been made beside another server
    return everywhere(desk, monkeypatch)
