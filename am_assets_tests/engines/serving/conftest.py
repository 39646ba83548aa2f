"""A folder of servers of the tests' own, and the stand-in for vllm and sglang on PATH."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets.engines.serving import release_all
from am_assets_tests.engines.serving.playing import Standin, on_path, until


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A temporary folder that no other test shares, so that no server does either."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    release_all()


@pytest.fixture
def standin(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    for name, value in on_path(machine).items():
        monkeypatch.setenv(name, value)
    here = Standin(machine)
    here.says()
    yield here
    release_all()
    assert until(lambda: not here.left()), here.left()
