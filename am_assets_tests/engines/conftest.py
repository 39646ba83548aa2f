"""A scripted teacher for the tests of the engines."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
