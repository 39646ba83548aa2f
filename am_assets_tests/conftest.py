"""Fixtures for tests that need the graph."""

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
