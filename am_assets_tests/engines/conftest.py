"""A scripted teacher and the sandboxes that work here, for the tests of the engines."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from am_assets.engines.sandbox import Sandbox, SandboxUnavailable, open_sandbox
from am_assets_tests.promised import without_sandbox
from am_assets_tests.scripted import Script, Teacher


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Script], Teacher]]:
    """Starts scripted teachers. Their limits are kept apart from those of real runs."""
    monkeypatch.setenv("TEST_TEACHER_KEY", "secret-of-the-test")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started: list[Teacher] = []

    def start(script: Script) -> Teacher:
        started.append(Teacher(script))
        return started[-1]

    yield start
    for each in started:
        each.server.shutdown()


@pytest.fixture(scope="module", params=["bubblewrap", pytest.param("docker", marks=pytest.mark.container)])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Each backend in turn, under the LIMITS of the module that asks."""
    try:
        with open_sandbox(request.module.LIMITS, request.param) as opened:
            yield opened
    except SandboxUnavailable as error:
        without_sandbox(error)
