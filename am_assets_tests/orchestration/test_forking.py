"""The process that runs are forked from: whoever has imported the code location can be forked, and then computes."""

import subprocess
import sys

FORKED = """
import gc, os, signal
import am_assets.definitions
import am_assets.launcher
import dagster._grpc.impl
import polars as pl
child = os.fork()
if not child:
    signal.alarm(60)
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10  # else each look for garbage copies what was imported
    frame = pl.DataFrame({"a": range(100_000)}).with_columns(b=pl.col("a") % 97)
    groups = frame.lazy().group_by("b").agg(pl.col("a").sum()).collect()
    os._exit(0 if groups.height == 97 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_forked_after_the_import_of_the_code_location_computes() -> None:
    """Threads of Polars do not come along; a query at import would start them, and each run would wait for ever."""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED]).returncode == 0


def test_the_workers_of_a_run_are_not_forked_by_the_code_server(monkeypatch) -> None:
    """They would not be there any more where the code server was killed and the run goes on."""
    from multiprocessing import forkserver

    from am_assets.orchestration.forking import ForkedRun

    kept = dict(vars(forkserver._forkserver))
    monkeypatch.setattr(forkserver._forkserver, "_forkserver_address", "of the code server")
    try:
        ForkedRun(target=lambda: None).run()
        assert forkserver._forkserver._forkserver_address is None
    finally:
        vars(forkserver._forkserver).update(kept)
