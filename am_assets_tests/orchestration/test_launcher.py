"""A run's process is told alive from dead by its number and its age."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from am_assets.orchestration import launcher
from am_assets.orchestration.launcher import WatchedRunLauncher


def health(pid: int) -> WorkerStatus:
    with dg.DagsterInstance.ephemeral() as instance:
        watched = WatchedRunLauncher()
        watched.register_instance(instance)
        run = create_run_for_test(instance, job_name="any")
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
        return watched.check_run_worker_health(run).status


def test_a_run_whose_process_is_there_runs() -> None:
    assert health(os.getpid()) == WorkerStatus.RUNNING


def test_a_run_whose_process_is_gone_is_not_found() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert health(ended.pid) == WorkerStatus.NOT_FOUND


def test_a_process_not_waited_for_is_gone_too() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        ended.stdout.read()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert health(ended.pid) == WorkerStatus.NOT_FOUND


def test_a_younger_process_of_the_same_number_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "CLOCK_SLACK_SECONDS", -1e9)
    assert health(os.getpid()) == WorkerStatus.NOT_FOUND
