"""What a test does where its sandbox can't run: it skips with the reason, or fails where one was promised."""

import os
from typing import NoReturn

import pytest

from am_assets.engines.sandbox import SandboxUnavailable


def without_sandbox(error: SandboxUnavailable) -> NoReturn:
    """`AM_REQUIRE_CONTAINER` in the environment promises a container engine and bubblewrap, as CI does."""
    if os.environ.get("AM_REQUIRE_CONTAINER"):
        raise error
    pytest.skip(str(error))
