"""Runs of a code server are forked from a process that has imported everything, so that one starts in less than a
second: Dagster's way, a new interpreter for each, takes 4 s of a core, one after another.

Each run is a process of its own as before, with the same signals, pipes and exit codes. Polars' threads do not survive
a fork: importing the code location must start none of its queries, which a test holds. A Dagster that starts runs
otherwise, or a Python without the server that is renewed here, starts them as it does by itself.
"""

import multiprocessing
import sys
from multiprocessing import context, forkserver

IMPORTED = ["am_assets.definitions", "am_assets.launcher", "am_assets.orchestration.forking", "dagster._grpc.impl"]


class ForkedRun(context.ForkServerProcess):
    """The process of a run. What it forks itself (workers of verifiers) comes from a server of its own, which ends
    with it and not with the code server."""

    def run(self) -> None:
        forkserver._forkserver.__init__()  # type: ignore[misc]
        super().run()


def fork_runs() -> None:
    """From now on, if this process is a code server; its runs are started in the context named `spawn`."""
    if sys.argv[1:3] == ["api", "grpc"] and hasattr(forkserver, "_forkserver"):
        multiprocessing.get_context("spawn").Process = ForkedRun  # type: ignore[assignment, misc]
        forkserver.set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()
