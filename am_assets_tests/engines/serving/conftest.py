"""A folder of servers of the tests' own, and the stand-in for vllm and sglang on PATH."""

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets.engines.serving import release_all
from am_assets_tests.engines.serving.playing import SCRIPT, Standin, until


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A temporary folder that no other test shares, so that no server does either."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    release_all()


@pytest.fixture
def standin(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    bin = machine / "bin"
    bin.mkdir()
    for name in ("vllm", "sglang"):
        (bin / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(SCRIPT))} "$@"\n')
        (bin / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    monkeypatch.setenv("STANDIN", str(machine))
    here = Standin(machine)
    here.says()
    yield here
    release_all()
    assert until(lambda: not here.left()), here.left()
