"""What a test does where something it needs is not there: it skips with the reason, or fails where it was promised."""

import os
from typing import NoReturn

import pytest

from am_assets.engines.sandbox import SandboxUnavailable


def without_sandbox(error: SandboxUnavailable) -> NoReturn:
    """`AM_REQUIRE_CONTAINER` in the environment promises a container engine and bubblewrap, as CI does."""
    if os.environ.get("AM_REQUIRE_CONTAINER"):
        raise error
    pytest.skip(str(error))


def without_browser(reason: str) -> NoReturn:
    """`AM_REQUIRE_BROWSER` in the environment promises Chromium and its driver, as CI does."""
    if os.environ.get("AM_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


def without_postgres(reason: str) -> NoReturn:
    """`AM_REQUIRE_CLUSTER` in the environment promises Postgres and its driver, as CI does."""
    if os.environ.get("AM_REQUIRE_CLUSTER"):
        pytest.fail(reason)
    pytest.skip(reason)
