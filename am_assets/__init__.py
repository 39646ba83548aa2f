"""Distilled-reasoning datasets as a Dagster asset graph. The folders are its stages, `definitions.py` its assembly.

from am_assets import open_project    # tables, policies and verifiers of a project, for notebooks
"""

import os
from typing import TYPE_CHECKING, Any

# Polars gives freed memory back after half a second, and to have its pages again takes longer than to fill them with
# text. Read when polars is loaded.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:5000")

if TYPE_CHECKING:
    from am_assets.notebook import open_project as open_project

__all__ = ["open_project"]


def __getattr__(name: str) -> Any:
    """`open_project` on first use: commands and workers import this package and need no tables."""
    if name == "open_project":
        from am_assets.notebook import open_project

        return open_project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
