"""Fixtures for tests that need the graph, and the rule that promised container tests do not skip."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets_tests.desk import CountingProxy, Desk, at_desk


@pytest.fixture(scope="session")
def model_server() -> Iterator[CountingProxy]:
    from am_assets.engines.local_model import embedded_gguf, serve, stop_all

    proxy = CountingProxy(serve(embedded_gguf(), context=2048, slots=4))
    yield proxy
    proxy.server.shutdown()
    stop_all()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_server: CountingProxy) -> Desk:
    return at_desk(tmp_path, model_server, monkeypatch)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> None:
    """Where an engine is promised (`AM_REQUIRE_CONTAINER`), a container test that skips is a failure."""
    promised = os.environ.get("AM_REQUIRE_CONTAINER") and item.get_closest_marker("container")
    if promised and call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception):
        call.excinfo = pytest.ExceptionInfo.from_exception(
            AssertionError(f"skipped although an engine is promised: {call.excinfo.value}")
        )
