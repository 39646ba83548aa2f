"""The tests of one machine on what machines share: with AM_TEST_SHARED=1 in the environment, the projects of the
fixtures have their tables and memo in an S3 store and their records in Postgres. As a benchmark:

    AM_TEST_SHARED=1 pytest am_assets_tests/cli
"""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from am_assets_tests.desk import Desk
from am_assets_tests.server import Postgres, programs
from am_assets_tests.services import am
from am_assets_tests.weed import KEYS, Weed

SHARED = bool(os.environ.get("AM_TEST_SHARED"))


def share(folder: Path, setenv: Callable[[str, str], None]) -> None:
    """Give a project a prefix of the store and a database of its own; `am cluster move` takes there what it has."""
    postgres, weed = _services()
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.run("createdb", name)
    setenv("AM_DATABASE_URL", f"postgresql+psycopg2://am@127.0.0.1:{postgres.port}/{name}")
    for key, value in KEYS.items():
        setenv(key, value)
    settings = {"store": f"s3://project/{name}", "endpoint": weed.endpoint}
    (folder / "cluster.yaml").write_text(yaml.safe_dump(settings))


def everywhere(desk: Desk, patch: pytest.MonkeyPatch) -> Desk:
    """The desk, with a prefix of the store and a database of its own where tests are asked to share."""
    if SHARED:
        from am_assets.orchestration.instance import prepare_environment

        share(desk.folder, patch.setenv)
        prepare_environment(desk.folder / "instance")
        if (desk.folder / "assets").exists():
            moved = am(desk.folder, "cluster", "move")
            assert moved.returncode == 0, moved.stdout + moved.stderr
    return desk


@cache
def _services() -> tuple[Postgres, Weed]:
    folders = [Path(tempfile.mkdtemp(prefix="am-")) for _ in range(2)]
    for folder in folders:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    postgres, weed = Postgres(folders[0], programs()), Weed(folders[1])
    postgres.start()
    atexit.register(postgres.stop)
    weed.start()
    atexit.register(weed.kill)
    return postgres, weed
