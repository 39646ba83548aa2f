"""A run that an apply has on a cluster, and what submitting one takes."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from am_assets.orchestration.dagster_internals import ModuleCodePointer, RepositoryPythonOrigin
from am_assets.planning.steps import Step
from am_assets.storage.shared.database import DatabaseError

T = TypeVar("T")


@dataclass
class Submitted:
    step: Step
    run: str
    host: str = ""
    other: bool = False  # begun by another, whose end has it judged anew
    fits: bool = True  # whether this apply would submit just the same
    waits: str | None = None  # what it was last said to wait for
    looked: float = field(default_factory=time.monotonic)  # when its health was asked for last


def twice(act: Callable[[], T]) -> T:
    """What `act` returns, tried again where the database went away under it: the next connection waits for it."""
    from sqlalchemy.exc import DBAPIError

    try:
        return act()
    except (DBAPIError, DatabaseError):
        return act()


def code_location() -> RepositoryPythonOrigin:
    """Where a worker finds the code location: at the same path as here."""
    pointer = ModuleCodePointer("am_assets.definitions", "defs")
    return RepositoryPythonOrigin(sys.executable, pointer, entry_point=[sys.executable, "-m", "dagster"])
