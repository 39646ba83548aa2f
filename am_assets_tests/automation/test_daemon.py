"""The real daemon on a real project: a pass rate falls, one message arrives; it rises, one message more."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from am_assets_tests.automation.hooks import Webhook
from am_assets_tests.desk import SUMS, Desk

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
RIGHT = "<think>I add.</think> <answer>\\boxed{%s}</answer>"
FAILED = "verified_set[plain]: check verification_pass_rate failed"
RECOVERED = "Recovered: verified_set[plain]: check verification_pass_rate"


def sums(desk: Desk, wrong: bool) -> None:
    rows = [(question, answer, RIGHT % ("7" if wrong else answer)) for question, answer, _ in SUMS]
    desk.rows("sums", [dict(zip(("question", "reference_answer", "response"), row, strict=True)) for row in rows])


@pytest.fixture
def hook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.server.shutdown()


@pytest.fixture
def daemon(applied: Desk, hook: Webhook) -> Iterator[Desk]:
    """The desk, with a daemon that has looked at it once."""
    applied.write("alerts.yaml", {"errors_only": ["$TEST_HOOK"], "ui": "http://ui.example.org"})
    applied.edit("plain", "verification", min_pass_rate=0.5)
    sums(applied, wrong=False)
    applied.apply("plain", select="+verified_set")
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "am_assets.definitions", "-d", str(ROOT)]
    log = (applied.folder / "daemon.log").open("w")
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TEST_HOOK": hook.url, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
    )
    try:
        wait_for(looked, process, applied)
        yield applied
    finally:
        process.terminate()
        process.wait(30)


def looked() -> bool:
    from am_assets.automation.watch import load

    with dg.DagsterInstance.get() as instance:
        return bool(load(instance).read)


def wait_for(so: Callable[[], object], process: subprocess.Popen, desk: Desk) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not so():
        log = (desk.folder / "daemon.log").read_text()[-3000:]
        assert process.poll() is None, log
        assert time.monotonic() < until, log
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.model
def test_a_falling_pass_rate_is_told_once_and_its_recovery_once(daemon: Desk, hook: Webhook) -> None:
    def told() -> list[tuple[str, str]]:
        """Titles and words of the messages on this check, in the order in which they came."""
        return [(one["title"], one["message"]) for one in hook.received if one["title"] in (FAILED, RECOVERED)]

    def wait(title: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while [last for last, _ in told()[-1:]] != [title]:
            assert time.monotonic() < until, (hook.titles, (daemon.folder / "daemon.log").read_text()[-3000:])
            time.sleep(0.5)

    sums(daemon, wrong=True)
    daemon.apply("plain", select="+verified_set")
    wait(FAILED)
    (message, *_) = (one for one in hook.received if one["title"] == FAILED)
    for said in ("asset: verified_set", "partition: plain", "pass_rate: 0.", "threshold: 0.5"):
        assert said in message["message"]
    assert "http://ui.example.org/assets/verified_set?view=partitions&partition=" in message["message"]
    assert message["type"] == "failure"
    assert "verified_set[plain]: check verification_drift failed" not in hook.titles  # a warning

    sums(daemon, wrong=False)
    daemon.apply("plain", select="+verified_set")
    wait(RECOVERED)
    # The daemon follows the edits too, and may decide halfway between them. That figure is told as well, but once.
    assert told()[0][0] == FAILED and all(one != after for one, after in pairwise(told()))
