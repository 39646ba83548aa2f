from pathlib import Path

import pytest

from am_assets_tests.students import write_tiny_student


@pytest.fixture(scope="session")
def tiny_student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_student(tmp_path_factory.mktemp("students") / "tiny")
